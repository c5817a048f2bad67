package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// Validate finds what is malformed in s whatever the engine is, and joins one
// InvalidError for each: its Option is the path of the field, "Spec.Ports[0]". It
// is nil when there is nothing.
//
// Malformed is also what engines would drop in silence, or some of them would, such as
// published ports on the host's network, or a number of retries without on-failure.
// Values that an engine checks itself (log drivers, capabilities, sysctls, runtimes) are
// left to it, and what an engine lacks is its own UnsupportedError.
func (s Spec) Validate() error {
	v := &validator{}
	walkText("Spec", reflect.ValueOf(s), &v.errs)
	v.process(&s)
	v.health("Spec.Healthcheck", s.Healthcheck)
	v.host(&s)
	v.files(&s)
	v.resources(&s)
	v.namespaces(&s)
	v.network(&s)
	v.extras(&s)
	return errors.Join(v.errs...)
}

// validator collects faults.
type validator struct{ errs []error }

// add records a fault unless reason is "". Text of the option that is no string is given by fmt.
func (v *validator) add(option string, value any, reason string) {
	if reason != "" {
		v.errs = append(v.errs, &InvalidError{Option: option, Value: fmt.Sprint(value), Reason: reason})
	}
}

// err records the fault of a parser under the option's name.
func (v *validator) err(option, value string, err error) {
	if e, ok := errors.AsType[*InvalidError](err); ok {
		v.errs = append(v.errs, &InvalidError{Option: option, Value: value, Reason: e.Reason})
	} else if err != nil {
		v.errs = append(v.errs, &InvalidError{Option: option, Value: value, Err: err})
	}
}

// when is add under a condition.
func (v *validator) when(bad bool, option string, value any, reason string) {
	if bad {
		v.add(option, value, reason)
	}
}

func (v *validator) faults(option string, faults []fieldFault) {
	for _, f := range faults {
		v.add(option+"."+f.field, f.value, f.reason)
	}
}

// seconds: a duration that engines count in whole seconds.
func (v *validator) seconds(option string, d time.Duration) {
	v.when(d < 0, option, d, "it is negative")
	v.when(d%time.Second != 0, option, d, "it is no whole number of seconds")
}

// filled: a list whose elements are not empty.
func (v *validator) filled(option string, list []string) {
	for i, s := range list {
		v.when(s == "", index(option, i), "", "it is empty")
	}
}

// keys: a map whose keys are not empty.
func (v *validator) keys(option string, m map[string]string) {
	_, empty := m[""]
	v.when(empty, option, "", "a key is empty")
}

// object: JSON that can be merged.
func (v *validator) object(option string, raw json.RawMessage) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil || m == nil {
		v.add(option, "", "it is no JSON object")
	}
}

func index(option string, i int) string { return fmt.Sprintf("%s[%d]", option, i) }

func key(option, k string) string { return fmt.Sprintf("%s[%q]", option, k) }

// checkText finds strings that no engine can take: with a NUL byte, or not UTF-8, which JSON
// would change. JSON values are left alone. The error is an InvalidError, or several joined.
func checkText(name string, v any) error {
	var errs []error
	walkText(name, reflect.ValueOf(v), &errs)
	return errors.Join(errs...)
}

func walkText(name string, v reflect.Value, errs *[]error) {
	if v.Type() == rawMessage {
		return
	}
	switch v.Kind() {
	case reflect.String:
		switch s := v.String(); {
		case strings.IndexByte(s, 0) >= 0:
			*errs = append(*errs, &InvalidError{Option: name, Reason: "it has a NUL byte"})
		case !utf8.ValidString(s):
			*errs = append(*errs, &InvalidError{Option: name, Reason: "it is not UTF-8"})
		}
	case reflect.Pointer:
		if !v.IsNil() {
			walkText(name, v.Elem(), errs)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkText(index(name, i), v.Index(i), errs)
		}
	case reflect.Map:
		keys := make(map[string]reflect.Value, v.Len())
		for it := v.MapRange(); it.Next(); {
			keys[it.Key().String()] = it.Value()
		}
		for _, k := range sortedKeys(keys) {
			walkText(key(name, k), reflect.ValueOf(k), errs)
			walkText(key(name, k), keys[k], errs)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				walkText(name+"."+f.Name, v.Field(i), errs)
			}
		}
	}
}
