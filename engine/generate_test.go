package engine

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"time"
)

// generator fills values of any type that a Spec is made of, by reflection: a new field is covered by itself. What it makes need
// not be valid, but every JSON round trip must keep it.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, seed))} }

func (g generator) spec() Spec { return g.value(reflect.TypeFor[Spec](), 0).Interface().(Spec) }

var texts = []string{"", "a", "ro", "/data", "K=V", "\"quoted\" \\ ", "\u00e9\u2028<&>\t\n", "null", "512m", "\U0001F433", "10.0.0.1", "-"}

func (g generator) text() string {
	if g.IntN(3) == 0 {
		return fmt.Sprint(g.IntN(1000))
	}
	return texts[g.IntN(len(texts))]
}

var numbers = []int64{0, 1, -1, 2, 1023, 1024, 1 << 20, 3 << 29, 1 << 62, -1 << 63, 1<<63 - 1, 999_999_999, 60_000_000_000}

func (g generator) value(t reflect.Type, depth int) reflect.Value {
	v := reflect.New(t).Elem()
	if depth > 1 && g.IntN(3) == 0 {
		return v // zero, too
	}
	switch t {
	case reflect.TypeFor[netip.Addr]():
		list := []netip.Addr{netip.IPv6LinkLocalAllNodes(), netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("::ffff:1.2.3.4"), {}}
		v.Set(reflect.ValueOf(list[g.IntN(len(list))]))
		return v
	case rawMessage:
		list := []string{`{"a":[1,2.50,1e400,null],"b":"<&>"}`, `"x"`, `null`, `[]`, ` { } `, `12345678901234567890`}
		v.SetBytes([]byte(list[g.IntN(len(list))]))
		return v
	case reflect.TypeFor[time.Duration]():
		v.SetInt(numbers[g.IntN(len(numbers))])
		return v
	}
	switch t.Kind() {
	case reflect.String:
		v.SetString(g.text())
	case reflect.Bool:
		v.SetBool(g.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(numbers[g.IntN(len(numbers))])
	case reflect.Uint, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(g.Uint64() >> (64 - t.Bits()) >> g.IntN(t.Bits()))
	case reflect.Float64:
		v.SetFloat([]float64{0, 1.5, 0.1, -3, 1e300, 5e-324}[g.IntN(6)])
	case reflect.Pointer:
		if g.IntN(3) > 0 {
			v.Set(reflect.New(t.Elem()))
			v.Elem().Set(g.value(t.Elem(), depth+1))
		}
	case reflect.Slice:
		if n := g.IntN(5) - 1; n >= 0 {
			v.Set(reflect.MakeSlice(t, n, n))
			for i := range n {
				v.Index(i).Set(g.value(t.Elem(), depth+1))
			}
		}
	case reflect.Map:
		if n := g.IntN(5) - 1; n >= 0 {
			v.Set(reflect.MakeMap(t))
			for range n {
				v.SetMapIndex(reflect.ValueOf(g.text()).Convert(t.Key()), g.value(t.Elem(), depth+1))
			}
		}
	case reflect.Struct:
		for i := range t.NumField() {
			v.Field(i).Set(g.value(t.Field(i).Type, depth+1))
		}
	default:
		panic("the generator does not know " + t.String() + ": teach it")
	}
	return v
}

// mutate changes one place of v, which is settable, and tells whether it did.
func (g generator) mutate(v reflect.Value) bool {
	if v.Type() == reflect.TypeFor[netip.Addr]() {
		v.Set(reflect.ValueOf(netip.MustParseAddr("192.0.2.77")))
		return true
	}
	if v.Type() == rawMessage {
		v.Set(reflect.ValueOf(json.RawMessage(`{"mutated":true}`)))
		return true
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "!")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() ^ 4)
	case reflect.Uint, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() ^ 4)
	case reflect.Float64:
		v.SetFloat(v.Float()/2 + 3)
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		} else if g.IntN(2) == 0 {
			return g.mutate(v.Elem())
		} else {
			v.SetZero()
		}
	case reflect.Slice:
		switch n := v.Len(); {
		case v.IsNil():
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		case n > 0 && g.IntN(2) == 0:
			return g.mutate(v.Index(g.IntN(n)))
		default:
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		}
	case reflect.Map:
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		} else {
			v.SetMapIndex(reflect.ValueOf("mutated").Convert(v.Type().Key()), reflect.Zero(v.Type().Elem()))
		}
	case reflect.Struct:
		return g.mutate(v.Field(g.IntN(v.NumField())))
	}
	return true
}
