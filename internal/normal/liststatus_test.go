package normal

import (
	"testing"
	"time"

	"github.com/berthdev/berth/engine"
)

func TestListStatus(t *testing.T) {
	for text, want := range map[string]struct {
		exit   int // -1: nil
		health engine.HealthStatus
	}{
		"Exited (0) 3 minutes ago":            {0, ""},
		"Exited (137) Less than a second ago": {137, ""},
		"Exited (-1) 2 days ago":              {-2, ""},
		"Restarting (1) 5 seconds ago":        {1, ""},
		"Up 2 hours":                          {-1, engine.HealthNone},
		"Up About an hour (healthy)":          {-1, engine.HealthHealthy},
		"Up 2 hours (unhealthy)":              {-1, engine.HealthUnhealthy},
		"Up 1 second (health: starting)":      {-1, engine.HealthStarting},
		"Up 5 minutes (Paused)":               {-1, ""},
		"Created":                             {-1, ""},
		"Dead":                                {-1, ""},
		"Removal In Progress":                 {-1, ""},
		"":                                    {-1, ""},
		"Exited":                              {-1, ""},
		"Exited (":                            {-1, ""},
		"Exited (x)":                          {-1, ""},
		"Exited (1":                           {-1, ""},
		"Upward (healthy)":                    {-1, ""},
	} {
		exit, health := ListStatus(text)
		got := -1
		if exit != nil {
			if got = *exit; got == -1 {
				got = -2
			}
		}
		if got != want.exit || health != want.health {
			t.Errorf("%q: %v, %q", text, got, health)
		}
	}
}

func TestStatusText(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	const day = 24 * time.Hour
	for want, in := range map[string]StatusInfo{
		"Up 2 hours":                     {Status: engine.StatusRunning, Started: ago(2 * time.Hour)},
		"Up 5 seconds (healthy)":         {Status: engine.StatusRunning, Started: ago(5 * time.Second), Health: engine.HealthHealthy},
		"Up 1 second (health: starting)": {Status: engine.StatusRunning, Started: ago(time.Second), Health: engine.HealthStarting},
		"Up About a minute (unhealthy)":  {Status: engine.StatusStopping, Started: ago(time.Minute), Health: engine.HealthUnhealthy},
		"Up Less than a second":          {Status: engine.StatusRunning, Started: now.Add(time.Second), Health: engine.HealthNone}, // clocks differ
		"Up 59 minutes (Paused)":         {Status: engine.StatusPaused, Started: ago(59 * time.Minute)},
		"Exited (0) About an hour ago":   {Status: engine.StatusExited, Finished: ago(time.Hour)},
		"Exited (137) 47 hours ago":      {Status: engine.StatusExited, ExitCode: new(137), Finished: ago(47 * time.Hour)},
		"Exited (1) 2 days ago":          {Status: engine.StatusExited, ExitCode: new(1), Finished: ago(2 * day)},
		"Exited (1) 13 days ago":         {Status: engine.StatusExited, ExitCode: new(1), Finished: ago(13 * day)},
		"Exited (1) 2 weeks ago":         {Status: engine.StatusExited, ExitCode: new(1), Finished: ago(14 * day)},
		"Exited (1) 2 months ago":        {Status: engine.StatusExited, ExitCode: new(1), Finished: ago(61 * day)},
		"Exited (1) 2 years ago":         {Status: engine.StatusExited, ExitCode: new(1), Finished: ago(731 * day)},
		"Exited (3)":                     {Status: engine.StatusExited, ExitCode: new(3)},
		"Restarting (1) 3 seconds ago":   {Status: engine.StatusRestarting, ExitCode: new(1), Finished: ago(3 * time.Second)},
		"Created":                        {Status: engine.StatusCreated},
		"Initialized":                    {Status: engine.StatusInitialized},
		"Dead":                           {Status: engine.StatusDead},
		"Removal In Progress":            {Status: engine.StatusRemoving},
		"Unknown":                        {Status: engine.StatusUnknown},
	} {
		if got := StatusText(in, now); got != want {
			t.Errorf("%+v: %q, want %q", in, got, want)
		}
	}
}

// What is written for a container can be read back as Docker's text is.
func TestStatusTextIsReadByListStatus(t *testing.T) {
	now := time.Now()
	for _, h := range []engine.HealthStatus{engine.HealthNone, engine.HealthStarting, engine.HealthHealthy, engine.HealthUnhealthy} {
		if _, got := ListStatus(StatusText(StatusInfo{Status: engine.StatusRunning, Started: now, Health: h}, now)); got != h {
			t.Errorf("health %q became %q", h, got)
		}
	}
	if exit, _ := ListStatus(StatusText(StatusInfo{Status: engine.StatusExited, ExitCode: new(42), Finished: now}, now)); exit == nil || *exit != 42 {
		t.Errorf("exit code 42 became %v", exit)
	}
}

func FuzzListStatus(f *testing.F) {
	f.Add("Exited (0) 3 minutes ago")
	f.Fuzz(func(t *testing.T, s string) { ListStatus(s) })
}
