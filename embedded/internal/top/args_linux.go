package top

import (
	"slices"
	"strings"

	"github.com/berthdev/berth/engine"
)

// column is a column of a list: its title and how to fill it.
type column struct {
	title string
	cell  func(p *process) string
}

// The formats of ps that have a name.
var (
	fullFormat  = []string{"uid_hack", "pid", "ppid", "c", "stime", "tname", "time", "cmd"}
	userFormat  = []string{"user", "pid", "%cpu", "%mem", "vsz", "rss", "tname", "stat", "bsdstart", "bsdtime", "command"}
	plainFormat = []string{"pid", "tname", "time", "ucmd"}
	bsdFormat   = []string{"pid", "tname", "stat", "bsdtime", "command"}
)

// parseArgs chooses the columns.
func parseArgs(args []string) ([]column, error) {
	var words []string
	for _, a := range args {
		words = append(words, strings.Fields(a)...)
	}
	if len(words) == 0 {
		return columns(berthColumns)
	}
	var own []column // of -o
	var format []string
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		letters, dash := strings.CutPrefix(word, "-")
		if letters == "" {
			return nil, unsupported(word)
		}
		if dash && strings.Trim(letters, "aux") == "" && strings.Contains(letters, "u") {
			dash = false // "-aux" is taken for "aux", as procps does
		}
		for i, l := range letters {
			if l == 'o' {
				value := letters[i+1:]
				if value == "" && len(words) > 0 {
					value, words = words[0], words[1:]
				}
				list, err := parseColumns(value)
				if err != nil {
					return nil, err
				}
				own = append(own, list...)
				break
			}
			f, ok := formatOf(l, dash)
			if !ok {
				return nil, unsupported(word)
			}
			if format == nil || l == 'f' || l == 'u' {
				format = f
			}
		}
	}
	if own != nil {
		return own, nil
	}
	return columns(format)
}

// formatOf is the format that an option's letter brings along. Those that choose processes, and w, bring only a default.
func formatOf(letter rune, dash bool) ([]string, bool) {
	switch {
	case dash && letter == 'f':
		return fullFormat, true
	case dash && strings.ContainsRune("eAadw", letter):
		return plainFormat, true
	case !dash && letter == 'u':
		return userFormat, true
	case !dash && strings.ContainsRune("axw", letter):
		return bsdFormat, true
	}
	return nil, false
}

// parseColumns reads the value of -o: names with commas between them, each with =TITLE if it is to have another.
func parseColumns(value string) ([]column, error) {
	var list []column
	for name := range strings.SplitSeq(value, ",") {
		name, title, retitled := strings.Cut(name, "=")
		c, err := find(name)
		if err != nil {
			return nil, err
		}
		if retitled {
			c.title = title
		}
		list = append(list, c)
	}
	return list, nil
}

// columns are the columns with these names.
func columns(names []string) ([]column, error) {
	list := make([]column, 0, len(names))
	for _, name := range names {
		c, err := find(name)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// find is the column with a name of ps(1).
func find(name string) (column, error) {
	i := slices.IndexFunc(known, func(k knownColumn) bool { return slices.Contains(k.names, name) })
	if i < 0 {
		return column{}, unsupported("-o " + name)
	}
	return column{known[i].title, known[i].cell}, nil
}

func unsupported(value string) error {
	return &engine.UnsupportedError{Option: "TopOptions.Args", Value: value, Engine: "embedded", Reason: "processes are listed without ps(1)"}
}
