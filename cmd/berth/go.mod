module github.com/berthdev/berth/cmd/berth

go 1.26.0

replace github.com/berthdev/berth => ../..

require (
	github.com/berthdev/berth v0.0.0
	github.com/google/go-cmp v0.7.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.9
	golang.org/x/sys v0.49.0
)

require golang.org/x/tools v0.26.0 // indirect

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/rogpeppe/go-internal v1.16.0
)
