package normal

import (
	"math"
	"testing"
)

func TestNanoCPUs(t *testing.T) {
	for in, want := range map[float64]int64{0: 0, 1: 1e9, 1.5: 1_500_000_000, 0.1: 100_000_000, 1e-9: 1, 0.3: 300_000_000, 1e9: 1e18} {
		if got, err := NanoCPUs(in); err != nil || got != want {
			t.Errorf("%v: %d, %v", in, got, err)
		}
	}
	for _, in := range []float64{-1, -1e-9, math.NaN(), math.Inf(1), math.Inf(-1), 1e300, 1e10, 1e-10} {
		_, err := NanoCPUs(in)
		wantInvalid(t, err)
	}
}

func TestPeriodQuota(t *testing.T) {
	for in, want := range map[float64][2]int64{
		0: {0, 0}, 1: {100_000, 100_000}, 1.5: {100_000, 150_000}, 0.01: {100_000, 1000}, 0.005: {1_000_000, 5000}, 0.001: {1_000_000, 1000}, 1.0 / 3: {100_000, 33333},
	} {
		period, quota, err := PeriodQuota(in)
		if err != nil || [2]int64{period, quota} != want {
			t.Errorf("%v: %d, %d, %v", in, period, quota, err)
		}
	}
	for _, in := range []float64{-1, 0.0005, math.NaN(), math.Inf(1), 1e10} {
		_, _, err := PeriodQuota(in)
		wantInvalid(t, err)
	}
}

func FuzzPeriodQuota(f *testing.F) {
	f.Add(1.5)
	f.Fuzz(func(t *testing.T, cpus float64) {
		period, quota, err := PeriodQuota(cpus)
		if err != nil {
			wantInvalid(t, err)
			return
		}
		if cpus == 0 {
			return
		}
		// A period and a quota that the kernel takes, and that mean what was asked for, to 1 % at the least.
		if got := float64(quota) / float64(period); period < 1000 || period > 1e6 || quota < 1000 || math.Abs(got-cpus) > 0.0005+cpus/1e6 {
			t.Fatalf("%v became %d/%d", cpus, quota, period)
		}
	})
}
