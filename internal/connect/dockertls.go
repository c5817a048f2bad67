package connect

import "fmt"

// dockerTLS is the TLS configuration that DOCKER_TLS_VERIFY, DOCKER_TLS and
// DOCKER_CERT_PATH ask for at addr, nil for none. Each counts as set when it is
// not empty: DOCKER_TLS_VERIFY=0 is true, as it is for docker and docker-py.
//
//   - Any of the three turns TLS on. docker alone ignores DOCKER_CERT_PATH by
//     itself (the engine's Go client and docker-py do not), and docker-py does
//     not know DOCKER_TLS.
//   - The server is verified if DOCKER_TLS_VERIFY is set.
//   - ca.pem, cert.pem and key.pem are in DOCKER_CERT_PATH, else in the
//     directory of config.json (docker-py: always ~/.docker). There, when no
//     directory was named, our own certificate may be absent, as for docker;
//     docker-py demands it always.
//
// Only tcp and https can carry it; a note says when it is of no use.
func dockerTLS(env Env, addr Address) (*TLSFiles, []Note) {
	verify := env.Var("DOCKER_TLS_VERIFY") != ""
	dir := env.Var("DOCKER_CERT_PATH")
	named := dir != ""
	if !verify && !named && env.Var("DOCKER_TLS") == "" {
		return nil, nil
	}
	if addr.Scheme != SchemeTCP && addr.Scheme != SchemeHTTPS {
		return nil, []Note{{fmt.Sprintf("DOCKER_TLS_VERIFY, DOCKER_TLS or DOCKER_CERT_PATH is set, but %s does not use TLS", addr)}}
	}
	if !named {
		dir = env.DockerDir()
	}
	t := &TLSFiles{
		Cert:       env.Join(dir, "cert.pem"),
		Key:        env.Join(dir, "key.pem"),
		SkipVerify: !verify,
	}
	if verify {
		t.CA = env.Join(dir, "ca.pem")
	}
	if !named && !env.Exists(t.Cert) && !env.Exists(t.Key) {
		t.Cert, t.Key = "", ""
	}
	return t, nil
}
