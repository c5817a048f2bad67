package docker

import (
	"context"
	"strconv"
	"strings"

	"github.com/berthdev/berth/engine"
)

// MaxAPIVersion is the newest version of the API that this package speaks.
const MaxAPIVersion = "1.51"

// apiVersion is the minor number of a version 1.N of the API.
type apiVersion int

const (
	minAPI apiVersion = 40 // Docker 19.03
	maxAPI apiVersion = 51 // Docker 28.3
)

func (v apiVersion) String() string { return "1." + strconv.Itoa(int(v)) }

// parseAPIVersion reads "1.41". There has never been another major number.
func parseAPIVersion(option, s string) (apiVersion, error) {
	major, minor, _ := strings.Cut(s, ".")
	n, err := strconv.ParseUint(minor, 10, 16)
	if major != "1" || err != nil {
		return 0, &engine.InvalidError{Option: option, Value: s, Reason: `not of the form "1.41"`}
	}
	return apiVersion(n), nil
}

// negotiate chooses the version of the API to speak, with one request if the answer to a ping is not at hand.
func (e *Engine) negotiate(ctx context.Context, cfg Config) (apiVersion, error) {
	if cfg.APIVersion != "" {
		v, err := parseAPIVersion("APIVersion", cfg.APIVersion)
		if err != nil {
			return 0, err
		}
		return v, checkAPIVersion("APIVersion", v, v)
	}
	newest, oldest := cfg.Ping.Get("Api-Version"), ""
	if newest == "" {
		var v wireVersion
		r := get("/version")
		r.NoPrefix = true
		if err := e.call(ctx, op{"open engine", cfg.Host}, r, &v); err != nil {
			return 0, err
		}
		newest, oldest = v.APIVersion, v.MinAPIVersion
	}
	high, err := parseAPIVersion("engine's API version", newest)
	if err != nil {
		return 0, err
	}
	low := minAPI
	if oldest != "" {
		if low, err = parseAPIVersion("engine's minimum API version", oldest); err != nil {
			return 0, err
		}
	}
	return min(high, maxAPI), checkAPIVersion("engine's API version", high, low)
}

// checkAPIVersion tells whether this package can speak to an engine that has the versions low to high.
func checkAPIVersion(option string, high, low apiVersion) error {
	switch {
	case high < minAPI:
		return &engine.UnsupportedError{Option: option, Value: high.String(), Engine: Name, Need: minAPI.String(), Reason: "the engine is older than Docker 19.03"}
	case low > maxAPI:
		return &engine.UnsupportedError{Option: option, Value: low.String(), Engine: Name, Need: MaxAPIVersion, Reason: "it is newer than this version of Berth"}
	}
	return nil
}
