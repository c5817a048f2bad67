package normal

import (
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
)

// ListStatus reads the text that Docker's list has for a container's state: "Exited (0) 3
// minutes ago", "Up 2 hours (healthy)", "Up 1 second (health: starting)". exit is nil,
// and health is "", where the text does not tell. (moby: container/state.go, State.String; container/health.go.)
func ListStatus(text string) (exit *int, health engine.HealthStatus) {
	word, _, _ := strings.Cut(text, " ")
	_, note, has := strings.Cut(text, "(")
	note, _, closed := strings.Cut(note, ")")
	has = has && closed
	switch word {
	case "Exited", "Restarting":
		if code, err := strconv.Atoi(note); has && err == nil {
			return new(code), ""
		}
	case "Up":
		switch {
		case !has:
			return nil, engine.HealthNone
		case note == "healthy":
			return nil, engine.HealthHealthy
		case note == "unhealthy":
			return nil, engine.HealthUnhealthy
		case note == "health: starting":
			return nil, engine.HealthStarting
		}
	}
	return nil, ""
}
