package engine

import (
	"math/big"
	"strconv"
	"strings"
)

// byteUnits are the binary units of ParseBytes, as exponents of two.
const byteUnits = "bkmgtp"

// PiB is the largest unit that ParseBytes knows.
const PiB Bytes = 1 << 50

// ParseBytes reads a size as docker run -m and docker-py do: a number, which
// may have a fraction, and an optional unit b, k, m, g, t or p in either case,
// which may be followed by b or ib: "512m", "1.5g", "64KiB", "1024". Units are
// binary. "-1" (unlimited) is the only negative size. A fraction of a byte is
// cut off; a size that would become 0 by that is an error, and so is a fraction
// without a unit. Errors are InvalidErrors.
func ParseBytes(s string) (Bytes, error) {
	bad := func(reason string) (Bytes, error) {
		return 0, &InvalidError{Option: "size", Value: s, Reason: reason}
	}
	switch {
	case s == "":
		return bad("it is empty")
	case s == "-1":
		return -1, nil
	case len(s) > 64:
		return bad("it is too long")
	}
	end := 0
	for end < len(s) && (s[end] == '.' || '0' <= s[end] && s[end] <= '9') {
		end++
	}
	number, unit := s[:end], strings.ToLower(s[end:])
	whole, frac, point := strings.Cut(number, ".")
	if whole == "" || point && (frac == "" || strings.Contains(frac, ".")) {
		return bad("want a number and an optional unit of b, k, m, g, t, p")
	}
	shift := 0
	if unit != "" {
		shift = 10 * strings.IndexByte(byteUnits, unit[0])
		switch rest := unit[1:]; {
		case shift < 0, rest != "" && (shift == 0 || rest != "b" && rest != "ib"):
			return bad("want a unit of b, k, m, g, t, p")
		}
	}
	if point && shift == 0 {
		return bad("there are no fractions of a byte")
	}
	// All digits as one integer, times the unit, over the power of ten that the fraction stands for.
	n, ok := new(big.Int).SetString(whole+frac, 10)
	if !ok {
		return bad("want a number and an optional unit of b, k, m, g, t, p")
	}
	nonzero := n.Sign() != 0
	n.Lsh(n, uint(shift))
	n.Quo(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(frac))), nil))
	if !n.IsInt64() {
		return bad("it is too large")
	}
	if nonzero && n.Sign() == 0 {
		return bad("it is less than a byte")
	}
	return Bytes(n.Int64()), nil
}

// String is b with the largest unit that divides it: "512m", "1536m", "1000".
// ParseBytes reads it back, but for negative sizes below -1.
func (b Bytes) String() string {
	if b <= 0 {
		return strconv.FormatInt(int64(b), 10)
	}
	unit := len(byteUnits) - 1
	for unit > 0 && b&(1<<(10*unit)-1) != 0 {
		unit--
	}
	s := strconv.FormatInt(int64(b)>>(10*unit), 10)
	if unit > 0 {
		s += byteUnits[unit : unit+1]
	}
	return s
}

// MarshalText is String.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText is ParseBytes.
func (b *Bytes) UnmarshalText(text []byte) error {
	v, err := ParseBytes(string(text))
	if err == nil {
		*b = v
	}
	return err
}

// MarshalJSON is the text of b ("512m") where a unit divides it, else a number.
func (b Bytes) MarshalJSON() ([]byte, error) {
	s := b.String()
	if c := s[len(s)-1]; '0' <= c && c <= '9' {
		return []byte(s), nil
	}
	return []byte(`"` + s + `"`), nil
}

// UnmarshalJSON reads a text as ParseBytes does, and a whole number of bytes.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	return unmarshalTextOrInt(data, "size", b, ParseBytes)
}
