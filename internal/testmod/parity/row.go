package parity

// Row is a member or option of a Python library.
type Row struct {
	// Name in Python: a member, an option of create and run, or member(option).
	Name string
	// Berth is its name here; "" with a Note that says why there is none.
	Berth string
	// Cases are those of engine/enginetest that show it.
	Cases []string
	// Note is what a user must know.
	Note string
}

// row makes a Row; what follows Berth's name are cases.
func row(name, berth string, cases ...string) Row {
	return Row{Name: name, Berth: berth, Cases: cases}
}

// option makes the row of an option whose case bears its name.
func option(name, berth string, more ...string) Row {
	return Row{Name: name, Berth: berth, Cases: append([]string{"option/" + name}, more...)}
}

// none makes the row of a name that Berth has no use for.
func none(name, why string) Row { return Row{Name: name, Note: why} }

// note adds a note.
func (r Row) note(text string) Row {
	r.Note = text
	return r
}
