package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// structType is a struct as its source describes it.
type structType struct {
	name   string
	doc    string
	fields []field
}

// field is one exported field.
type field struct {
	name, json, typ, doc string
}

// source holds the struct types of a package, and the doc comments of its other types.
type source struct {
	structs map[string]*structType
	others  map[string]string
}

// readSource parses the files of the package in dir, but for its tests.
func readSource(dir string) (*source, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	src := &source{structs: map[string]*structType{}, others: map[string]string{}}
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(set, name, text, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		if err := src.add(set, file); err != nil {
			return nil, err
		}
	}
	return src, nil
}

func (src *source) add(set *token.FileSet, file *ast.File) error {
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		for _, spec := range gen.Specs {
			t := spec.(*ast.TypeSpec)
			doc := gen.Doc.Text()
			if t.Doc != nil {
				doc = t.Doc.Text()
			}
			body, ok := t.Type.(*ast.StructType)
			if !ok {
				src.others[t.Name.Name] = doc
				continue
			}
			st := &structType{name: t.Name.Name, doc: doc}
			for _, f := range body.Fields.List {
				if err := st.add(set, f); err != nil {
					return err
				}
			}
			st.share()
			src.structs[st.name] = st
		}
	}
	return nil
}

func (st *structType) add(set *token.FileSet, f *ast.Field) error {
	var typ strings.Builder
	if err := printer.Fprint(&typ, set, f.Type); err != nil {
		return err
	}
	doc := strings.TrimSpace(f.Doc.Text() + " " + f.Comment.Text())
	for _, name := range f.Names {
		if !name.IsExported() {
			continue
		}
		out := field{name: name.Name, typ: typ.String(), doc: doc}
		if f.Tag != nil {
			tag, err := strconv.Unquote(f.Tag.Value)
			if err != nil {
				return fmt.Errorf("tag of %s.%s: %w", st.name, name.Name, err)
			}
			out.json, _, _ = strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		}
		st.fields = append(st.fields, out)
	}
	return nil
}

// share gives a field without a comment the one above that speaks of it: "A and B are …".
func (st *structType) share() {
	for i := range st.fields {
		f := &st.fields[i]
		word := regexp.MustCompile(`\b` + f.name + `\b`)
		for j := i - 1; f.doc == "" && j >= 0; j-- {
			if word.MatchString(st.fields[j].doc) {
				f.doc = st.fields[j].doc
			}
		}
	}
}
