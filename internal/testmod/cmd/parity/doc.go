// Command parity checks docs/parity.md and docs/conformance against results of
// the conformance suite, or takes the results over:
//
//	go run ./internal/testmod/cmd/parity -check -results DIR
//	go run ./internal/testmod/cmd/parity -write -results DIR
//	go run ./internal/testmod/cmd/parity -write            (the page alone, from the committed results)
//
// With -inventory FILE, it checks the committed inventory against what
// internal/testmod/parity/inventory.py printed. It is run at the repository's root.
package main
