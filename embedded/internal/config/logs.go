//go:build linux

package config

import (
	"strconv"

	"github.com/berthdev/berth/embedded/internal/state"
	"github.com/berthdev/berth/engine"
)

// logConfig reads the log driver: json-file, local, which is kept in the same form with Docker's limits of local, and none.
func logConfig(l engine.LogConfig) (state.Log, error) {
	log := state.Log{Driver: "json-file", MaxFiles: 1}
	switch l.Driver {
	case "", "json-file":
	case "local":
		log.MaxSize, log.MaxFiles = 20<<20, 5
	case "none":
		log.Driver = "none"
	default:
		return log, unsupported("Spec.LogConfig.Driver", l.Driver, "it has the log drivers json-file, local and none")
	}
	for _, k := range sortedKeys(l.Options) {
		v, option := l.Options[k], `Spec.LogConfig.Options["`+k+`"]`
		switch {
		case l.Driver == "none":
			return log, unsupported(option, v, "the log driver none has no options")
		case k == "max-size" && v == "-1":
			log.MaxSize = 0
		case k == "max-size":
			n, err := engine.ParseBytes(v)
			if err != nil || n <= 0 {
				return log, invalid(option, v, "want a size, such as 10m")
			}
			log.MaxSize = int64(n)
		case k == "max-file":
			n, err := strconv.Atoi(v)
			if err != nil || n < 1 {
				return log, invalid(option, v, "want a number of files")
			}
			log.MaxFiles = n
		case k == "mode" && v == "blocking":
		default:
			return log, unsupported(option, v, "")
		}
	}
	if log.MaxSize == 0 && log.MaxFiles > 1 {
		return log, invalid(`Spec.LogConfig.Options["max-file"]`, strconv.Itoa(log.MaxFiles), "it needs max-size")
	}
	return log, nil
}
