package main

import (
	"fmt"
	"os"
)

// page is what is written, relative to the root of the repository.
const page = "docs/options.md"

func main() {
	text, err := generate("engine")
	if err == nil {
		err = os.WriteFile(page, text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "options:", err)
		os.Exit(1)
	}
}
