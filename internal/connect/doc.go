// Package connect decides which engine addresses to try, in which order, and
// why: from an explicit choice, the environment, Docker contexts, Podman
// connections and the sockets that engines are known to listen on.
//
// It dials nothing, knows no engine's protocol and keeps nothing: its functions
// read an Env. Dialling is internal/wire's, telling engines apart the facade's.
package connect
