package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
)

// view is a value of the library as --format json shows it. Structs become
// objects with all of their fields in their order, named in lower camel case or by
// their JSON tag; a list or map that is nil is empty; a time is RFC 3339, and null when it
// is zero; a duration is Go's text; a size is its number of bytes; a field of raw JSON is left
// out. What has a text form (addresses) is that text.
type view struct{ v any }

func (v view) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := encode(&b, reflect.ValueOf(v.v))
	return b.Bytes(), err
}

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	rawType      = reflect.TypeFor[json.RawMessage]()
	textType     = reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()
)

func encode(b *bytes.Buffer, v reflect.Value) error {
	switch {
	case !v.IsValid():
		b.WriteString("null")
		return nil
	case v.Type() == timeType:
		t := v.Interface().(time.Time)
		if t.IsZero() {
			b.WriteString("null")
			return nil
		}
		return plain(b, t.UTC())
	case v.Type() == durationType:
		return plain(b, v.Interface().(time.Duration).String())
	case v.Type() == rawType:
		return plain(b, v.Interface())
	case v.Type().Implements(textType) && v.Kind() == reflect.Struct:
		return plain(b, v.Interface())
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return encode(b, v.Elem()) // of nil: not valid
	case reflect.Struct:
		return encodeStruct(b, v)
	case reflect.Slice, reflect.Array:
		return encodeList(b, v)
	case reflect.Map:
		return encodeMap(b, v)
	case reflect.String:
		return plain(b, v.String())
	case reflect.Bool:
		return plain(b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return plain(b, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return plain(b, v.Uint())
	case reflect.Float32, reflect.Float64:
		return plain(b, v.Float())
	}
	return fmt.Errorf("show %s as JSON: no form for it", v.Type())
}

// plain writes what encoding/json makes of v.
func plain(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	b.Truncate(len(bytes.TrimRight(b.Bytes(), "\n")))
	return err
}

func encodeStruct(b *bytes.Buffer, v reflect.Value) error {
	b.WriteByte('{')
	first := true
	for f, value := range v.Fields() {
		if !f.IsExported() || f.Type == rawType {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		fmt.Fprintf(b, "%q:", memberName(f))
		if err := encode(b, value); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func encodeList(b *bytes.Buffer, v reflect.Value) error {
	b.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encode(b, v.Index(i)); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}

func encodeMap(b *bytes.Buffer, v reflect.Value) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
	b.WriteByte('{')
	for i, k := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := plain(b, k.String()); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := encode(b, v.MapIndex(k)); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

// memberName is the name of a field as a member: its JSON tag, else its name in
// lower camel case (ImageID: imageID, OOMKilled: oomKilled, IPv4: ipv4).
func memberName(f reflect.StructField) string {
	if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag != "" && tag != "-" {
		return tag
	}
	name := f.Name
	if rest, ok := strings.CutPrefix(name, "IPv"); ok {
		return "ipv" + rest
	}
	runes := []rune(name)
	for i := range runes {
		if i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break // the beginning of the next word
		}
		if unicode.IsLower(runes[i]) {
			break
		}
		runes[i] = unicode.ToLower(runes[i])
	}
	return string(runes)
}

// views are the values of a list, each to be shown.
func views[T any](list []T) []view {
	out := make([]view, len(list))
	for i, v := range list {
		out[i] = view{v}
	}
	return out
}
