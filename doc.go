// Package berth runs containers on Docker and on Podman, and on any other engine
// that registers itself with package engine (Berth's own, linked into the program,
// is being written). The same code gives the same result on each of them; what an
// engine cannot do is an error that names it.
//
// # Connecting
//
// [New] finds an engine: in its options ([WithHost], [WithContext], [WithEngine]),
// in DOCKER_HOST and CONTAINER_HOST, in Docker's contexts and Podman's
// connections, at the well-known sockets, and linked into the program. A failure is a
// [ConnectError] that lists what was tried. [Client.Engine] tells what was found.
//
//	cli, err := berth.New(ctx)
//	if err != nil {
//		return err
//	}
//	defer cli.Close()
//
// # Running
//
// [Containers.Run] is docker run --rm: it pulls the image if it is missing, runs
// the container with its streams attached, and removes it. A code other than 0 is
// an [ExitError].
//
//	res, err := cli.Containers.Run(ctx, berth.Spec{Image: "alpine", Command: []string{"wc", "-c"}},
//		berth.RunOptions{Stdin: strings.NewReader("hi")})
//
// [Containers.Start] is docker run -d, [Containers.Create] docker create. What a
// container is goes into a [Spec], which is plain data: its many fields are listed
// by
//
//	go doc github.com/berthdev/berth/engine Spec
//
// What one call does goes into the XxxOptions value at its end, which may be left
// out. More than one is an [ErrInvalid].
//
// # Containers
//
// A [Container] is a handle. Its methods with a context ask the engine:
// [Container.Status], [Container.Health], [Container.Addr], [Container.Logs],
// [Container.Stats], [Container.Wait]; those without answer from the last snapshot,
// [Container.Attrs], which [Container.Reload] and the methods that change the
// container renew. [Container.WaitFor] waits until it is of use:
//
//	err = db.WaitFor(ctx, berth.Healthy(), berth.Listening("5432/tcp"))
//
// [Container.Command] runs a command in it, in the shape of [os/exec.Cmd]. Files go
// in and out with [Container.CopyTo], [Container.CopyFrom], [Container.FS] and the
// raw tar streams.
//
// Items come as iterators: leaving the loop closes the connection, an error comes
// last. An action never is only an iterator.
//
// # Images and the rest
//
// [Images], [Volumes], [Networks] and [Secrets] are there as far as containers
// need them, [Client.Events] and [Client.Info] to look around, and [Client.Do] for
// what is missing.
//
// # Errors
//
// Kinds are matched with [errors.Is]: [ErrNotFound], [ErrConflict],
// [ErrNotRunning], [ErrUnsupported] and their like. Details are in [APIError],
// [ExitError], [UnsupportedError], [InvalidError], [ConnectError] and, for what was
// left behind, [OrphanError] and [ExecAliveError].
//
// # Contexts
//
// The context governs each call and what it returns. There are three time limits
// besides it: [WithProbeTimeout] while New looks for an engine, [WithCleanupTimeout]
// for the removal of what a failed call has made, and the ten seconds that an engine
// has to say that a process is over whose output has ended, before that end counts
// as a lost connection.
//
// Everything is safe for concurrent use unless its comment says otherwise. The
// package writes to no descriptor of the process and has no goroutine while idle.
package berth
