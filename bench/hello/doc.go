// Command hello lists the containers of the engine that it finds: the smallest
// useful program, whose size is that of linking Berth.
package main
