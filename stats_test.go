package berth

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthdev/berth/internal/fakeengine"
)

func TestStats(t *testing.T) {
	inBubble(t, func(t *testing.T, cli *Client, _ *fakeengine.Engine) {
		one, two := mustStart(t, cli, spec("sleep")), mustStart(t, cli, spec("sleep"))
		begin := time.Now()
		var totals []uint64
		var kept []*Stats
		for s, err := range one.Stats(t.Context(), StatsOptions{Interval: 2 * time.Second}) {
			if err != nil {
				t.Fatal(err)
			}
			totals = append(totals, s.CPU.Total)
			kept = append(kept, s)
			if len(totals) == 3 {
				break
			}
		}
		if len(totals) != 3 || kept[0].CPU.Total != 1 || time.Since(begin) != 4*time.Second {
			t.Errorf("samples %v after %v", totals, time.Since(begin))
		}
		seen := map[string]int{}
		time.AfterFunc(1500*time.Millisecond, func() { one.Kill(t.Context(), "") })
		for s, err := range cli.Containers.Stats(t.Context(), []*Container{one, two}) {
			if err != nil {
				t.Fatal(err)
			}
			seen[s.ID]++
		}
		if seen[one.ID()] != 2 || seen[two.ID()] != 2 {
			t.Errorf("samples %v", seen)
		}
		s, err := two.StatsOnce(t.Context())
		if err != nil || s.CPUPercent == nil {
			t.Errorf("once: %+v, %v", s, err)
		}
		if s, err = two.StatsOnce(t.Context(), StatsOptions{OneShot: true}); err != nil || s.CPUPercent != nil {
			t.Errorf("one shot: %+v, %v", s, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var last error
		for _, last = range two.Stats(ctx) {
			cancel()
		}
		if !errors.Is(last, context.Canceled) {
			t.Errorf("cancelled: %v", last)
		}
		cancel()
		for name, o := range map[string]StatsOptions{"one shot": {OneShot: true}, "negative": {Interval: -time.Second}, "fraction": {Interval: time.Millisecond}} {
			for _, err := range two.Stats(t.Context(), o) {
				if !errors.Is(err, ErrInvalid) {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if _, err := two.StatsOnce(t.Context(), StatsOptions{Interval: time.Second}); !errors.Is(err, ErrInvalid) {
			t.Errorf("interval of one sample: %v", err)
		}
	})
}

func TestTopStream(t *testing.T) {
	inBubble(t, func(t *testing.T, cli *Client, _ *fakeengine.Engine) {
		c := mustStart(t, cli, spec("sleep"))
		begin := time.Now()
		n := 0
		for top, err := range c.TopStream(t.Context(), TopStreamOptions{Interval: time.Minute}) {
			if n++; err != nil {
				if !errors.Is(err, ErrNotRunning) || top != nil {
					t.Errorf("the end: %v", err)
				}
				continue
			}
			if n == 3 {
				c.Kill(t.Context(), "")
				synctest.Wait()
			}
		}
		if n != 4 || time.Since(begin) != 3*time.Minute {
			t.Errorf("%d steps in %v", n, time.Since(begin))
		}
		for _, err := range c.TopStream(t.Context(), TopStreamOptions{Interval: -1}) {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("negative interval: %v", err)
			}
		}
	})
}

func TestWait(t *testing.T) {
	inBubble(t, func(t *testing.T, cli *Client, _ *fakeengine.Engine) {
		c := mustStart(t, cli, spec("sleep"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if exit, err := c.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || exit.Code != -1 {
			t.Errorf("deadline: %+v, %v", exit, err)
		}
		time.AfterFunc(time.Second, func() { c.Kill(t.Context(), "") })
		if exit, err := c.Wait(t.Context()); err != nil || exit.Code != 137 {
			t.Errorf("%+v, %v", exit, err)
		}
		time.AfterFunc(time.Second, func() { cli.Containers.Remove(t.Context(), c.ID()) })
		if _, err := c.Wait(t.Context(), WaitRemoved); err != nil || !c.Gone() {
			t.Errorf("removed: gone %v, %v", c.Gone(), err)
		}
		if _, err := mustStart(t, cli, spec("true")).Wait(t.Context(), "bogus"); !errors.Is(err, ErrInvalid) {
			t.Errorf("bogus condition: %v", err)
		}
	})
}
