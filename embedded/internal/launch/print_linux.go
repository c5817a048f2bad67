package launch

import (
	"fmt"
	"strconv"
	"strings"
)

// String prints the program: a step a line, with its number, the operation and
// its arguments, the register that takes the result, and where it goes after errors.
func (p *program) String() string {
	var b strings.Builder
	for i, s := range p.Steps {
		args := make([]string, len(s.Args))
		for j, a := range s.Args {
			args[j] = p.show(a)
		}
		fmt.Fprintf(&b, "%3d  %-40s %s(%s)", i, s.Name, s.Op, strings.Join(args, ", "))
		if s.Repeat > 0 {
			fmt.Fprintf(&b, " x%d", s.Repeat)
		}
		if s.Save != 0 {
			fmt.Fprintf(&b, " -> r%d", s.Save)
		}
		if s.Expect >= 0 {
			fmt.Fprintf(&b, " = %d", s.Expect)
		}
		for _, br := range s.On {
			name := br.Errno.Error()
			if br.Errno == anyError {
				name = "any error"
			}
			fmt.Fprintf(&b, "; %s: %d", name, br.To)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// show prints an argument.
func (p *program) show(v val) string {
	switch v.Kind {
	case isReg:
		return "r" + strconv.FormatUint(v.N, 10)
	case isFD:
		return "<" + p.FDs[v.N] + ">"
	case isMem:
		return p.showMem(p.Mems[v.N])
	}
	if n := int32(v.N); n < 0 && (v.N>>32 == 0 || v.N>>32 == 0xffffffff) && n > -4096 {
		return strconv.Itoa(int(n))
	}
	if v.N > 4096 {
		return "0x" + strconv.FormatUint(v.N, 16)
	}
	return strconv.FormatUint(v.N, 10)
}

// showMem prints a string, a vector of strings, or a size.
func (p *program) showMem(m mem) string {
	if m.Text {
		return strconv.Quote(string(m.Data[:len(m.Data)-1]))
	}
	var texts []string
	for _, r := range m.Relocs {
		if r.Val.Kind == isMem && p.Mems[r.Val.N].Text {
			texts = append(texts, p.showMem(p.Mems[r.Val.N]))
		}
	}
	if len(texts) > 0 && len(m.Data) == 8*(len(texts)+1) {
		return "[" + strings.Join(texts, " ") + "]"
	}
	if len(m.Data) <= 32 && len(m.Relocs) == 0 {
		return fmt.Sprintf("{% x}", m.Data)
	}
	return fmt.Sprintf("[%d bytes]", len(m.Data))
}
