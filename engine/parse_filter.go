package engine

import (
	"strings"
)

// ParseFilter reads a filter, KEY=VALUE; the value may have further equals signs
// ("label=a=b"). Errors are InvalidErrors.
func ParseFilter(s string) (key, value string, err error) {
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return "", "", &InvalidError{Option: "filter", Value: s, Reason: "want KEY=VALUE"}
	}
	return key, value, nil
}

// ParseFilters is [ParseFilter] for several: the values of one key are collected.
func ParseFilters(list []string) (Filters, error) {
	filters := make(Filters, len(list))
	for _, s := range list {
		key, value, err := ParseFilter(s)
		if err != nil {
			return nil, err
		}
		filters[key] = append(filters[key], value)
	}
	return filters, nil
}
