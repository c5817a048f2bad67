package normal

import (
	"fmt"
	"time"

	"github.com/berthdev/berth/engine"
)

// StatusInfo is what StatusText puts into words.
type StatusInfo struct {
	Status            engine.Status
	ExitCode          *int      // nil is 0
	Started, Finished time.Time // zero: never
	Health            engine.HealthStatus
}

// StatusText is the text that Docker's list has for a container's state, for
// engines that give none. now is when the list was taken.
func StatusText(i StatusInfo, now time.Time) string {
	code := 0
	if i.ExitCode != nil {
		code = *i.ExitCode
	}
	switch i.Status {
	case engine.StatusRunning, engine.StatusStopping:
		up := "Up " + humanDuration(now.Sub(i.Started))
		switch i.Health {
		case engine.HealthHealthy, engine.HealthUnhealthy:
			return up + " (" + string(i.Health) + ")"
		case engine.HealthStarting:
			return up + " (health: starting)"
		}
		return up
	case engine.StatusPaused:
		return "Up " + humanDuration(now.Sub(i.Started)) + " (Paused)"
	case engine.StatusRestarting:
		return fmt.Sprintf("Restarting (%d) %s ago", code, humanDuration(now.Sub(i.Finished)))
	case engine.StatusRemoving:
		return "Removal In Progress"
	case engine.StatusDead:
		return "Dead"
	case engine.StatusCreated:
		return "Created"
	case engine.StatusInitialized:
		return "Initialized"
	case engine.StatusExited:
		if i.Finished.IsZero() {
			return fmt.Sprintf("Exited (%d)", code)
		}
		return fmt.Sprintf("Exited (%d) %s ago", code, humanDuration(now.Sub(i.Finished)))
	}
	return "Unknown"
}

// humanDuration words a duration as Docker does (go-units, HumanDuration).
func humanDuration(d time.Duration) string {
	const day, week, month, year = 24, 7 * 24, 30 * 24, 365 * 24 // in hours
	switch seconds, minutes, hours := int(d.Seconds()), int(d.Minutes()), int(d.Hours()+0.5); {
	case seconds < 1:
		return "Less than a second"
	case seconds == 1:
		return "1 second"
	case seconds < 60:
		return fmt.Sprintf("%d seconds", seconds)
	case minutes == 1:
		return "About a minute"
	case minutes < 60:
		return fmt.Sprintf("%d minutes", minutes)
	case hours == 1:
		return "About an hour"
	case hours < 2*day:
		return fmt.Sprintf("%d hours", hours)
	case hours < 2*week:
		return fmt.Sprintf("%d days", hours/day)
	case hours < 2*month:
		return fmt.Sprintf("%d weeks", hours/week)
	case hours < 2*year:
		return fmt.Sprintf("%d months", hours/month)
	default:
		return fmt.Sprintf("%d years", int(d.Hours())/year)
	}
}
