package main

// The engine that runs containers where no other one answers. On other systems than Linux it says so.
import _ "github.com/berthdev/berth/embedded"
