// Command berth runs containers and looks after them, on Docker and Podman.
//
//	berth run --rm alpine echo hello
//	berth ps --all
//	berth exec -it NAME sh
//
// It has the commands and flags that people know of docker and podman, and is
// a thin layer over package [github.com/berthdev/berth]: what it does, a Go program does with
// a few lines. berth help COMMAND describes each command; docs/command.md has all of it on one page.
//
// # Engines
//
// The engine is found as package berth finds it: DOCKER_HOST, CONTAINER_HOST,
// contexts, connections, the well-known sockets. --host names an address,
// --context a Docker context, --engine the kind of engine that is wanted.
//
// # Output
//
// Lists are tables for people, with -q the IDs alone, with --format json one
// JSON array. The members of its objects are the fields of the library's types in
// lower camel case; all of them are always there, and none goes away or changes its meaning within a
// major version (docs/command.md lists them). Escape sequences are written to terminals only. What
// goes wrong is told on standard error, in lines that start with "berth: ".
//
// # Exit codes
//
// 0 is success. run and exec end with the code of what they ran; 127 is also a
// command that the container does not have, 126 one that cannot be executed. 125 is
// a failure of berth or of the engine, wrong flags among them, of every command. 128 plus
// a signal's number means that the signal ended berth, and 141 that nobody read its output.
//
// It is not a shell around another program's command: it speaks to the engine
// itself. Nothing can import it.
package main
