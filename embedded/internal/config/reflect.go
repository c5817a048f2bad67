//go:build linux

package config

import "reflect"

// setFields are the names of v's fields that are not zero.
func setFields(v any) []string {
	var names []string
	r := reflect.ValueOf(v)
	for i := range r.NumField() {
		if !r.Field(i).IsZero() {
			names = append(names, r.Type().Field(i).Name)
		}
	}
	return names
}
