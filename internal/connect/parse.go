package connect

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// AddressError is a malformed or unsupported engine address.
type AddressError struct {
	// Address is what was given; a password in it is masked.
	Address string
	Reason  string
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("parse engine address %q: %s", e.Address, e.Reason)
}

// ParseHost parses what DOCKER_HOST, CONTAINER_HOST, contexts, connections and
// WithHost may hold, for a program that runs on goos:
//
//   - "", "unix://", "npipe://": the system's default address of Docker;
//   - unix:///run/x.sock, /run/x.sock, http+unix://%2Frun%2Fx.sock;
//   - npipe:////./pipe/x, on Windows only;
//   - tcp://host:port, http://…, https://…, 1.2.3.4:port, :port (this host);
//     the port is required, a path becomes the prefix of every request;
//   - ssh://[user@]host[:port][/path/of.sock];
//   - "docker", "podman", "embedded": an engine by name.
//
// It takes what docker-py's parse_host takes, but for a user in a tcp address
// and an ssh address without a host, which docker-py drops and guesses; and
// beyond docker-py the bare path, ssh with a socket's path, and names. Its
// errors are *AddressError.
func ParseHost(s string, goos string) (Address, error) {
	in := s
	s = strings.TrimSpace(s)
	a, reason := parseHost(s, goos)
	if reason != "" {
		return Address{}, &AddressError{Address: maskPassword(in), Reason: reason}
	}
	return a, nil
}

// parseHost returns why s cannot be used, or "" and the Address.
func parseHost(s, goos string) (Address, string) {
	if strings.ContainsFunc(s, unicode.IsControl) {
		return Address{}, "control character"
	}
	switch s {
	case "":
		if goos == "windows" {
			return Address{Scheme: SchemeNpipe, Path: defaultPipe}, ""
		}
		return Address{Scheme: SchemeUnix, Path: defaultSocket}, ""
	case "docker", "podman", "embedded":
		return Address{Scheme: SchemeEngine, Engine: s}, ""
	}
	if goos == "windows" && (strings.HasPrefix(s, `\\`) || strings.HasPrefix(s, "//")) {
		return parsePipe(s, goos)
	}
	if s[0] == '/' {
		return parseSocket(s, goos)
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return parseBare(s, goos)
	}
	switch scheme = strings.ToLower(scheme); scheme {
	case "unix":
		return parseSocket(rest, goos)
	case "http+unix":
		path, err := url.PathUnescape(rest)
		if err != nil || strings.ContainsFunc(path, unicode.IsControl) {
			return Address{}, "malformed escape in the socket's path"
		}
		return parseSocket(path, goos)
	case "npipe":
		return parsePipe(rest, goos)
	case SchemeTCP, SchemeHTTP, SchemeHTTPS, SchemeSSH:
		return parseNetwork(scheme, rest)
	case "fd":
		return Address{}, "fd:// is an address for servers only"
	default:
		return Address{}, fmt.Sprintf("unsupported protocol %q (unix, tcp, http, https, ssh, npipe)", scheme)
	}
}

// parseBare reads an address without "://".
func parseBare(s, goos string) (Address, string) {
	if rest, ok := strings.CutPrefix(s, "unix:"); ok {
		return parseSocket(rest, goos)
	}
	host, _, ok := strings.Cut(s, ":")
	if !ok {
		return Address{}, "neither an address (unix:///path, tcp://host:port, ssh://host) nor the name of an engine"
	}
	if _, err := netip.ParseAddr(host); host != "" && err != nil && s[0] != '[' {
		return Address{}, fmt.Sprintf("no protocol: write tcp://%s", s)
	}
	return parseNetwork(SchemeTCP, s)
}

// maxSocketPath is sun_path's size less the terminating NUL.
func maxSocketPath(goos string) int {
	if goos == "linux" || goos == "windows" {
		return 107
	}
	return 103
}

// parseSocket reads the path of a unix socket. A path without a leading slash
// is relative to the root, as docker-py has it.
func parseSocket(path, goos string) (Address, string) {
	if path == "" {
		path = defaultSocket
	}
	if strings.ContainsAny(path, "?#") {
		return Address{}, "a socket's address has no query or fragment"
	}
	path = "/" + strings.TrimLeft(path, "/")
	if path == "/" {
		return Address{}, "no path of a socket"
	}
	if strings.TrimSpace(path) != path {
		return Address{}, "white space at the end of the socket's path"
	}
	if limit := maxSocketPath(goos); len(path) > limit {
		return Address{}, fmt.Sprintf("the socket's path has %d bytes, the system's limit is %d", len(path), limit)
	}
	return Address{Scheme: SchemeUnix, Path: path}, ""
}

// parsePipe reads the name of a Windows pipe, //server/pipe/name with either
// kind of slash, of which the first two may be missing.
func parsePipe(name, goos string) (Address, string) {
	if goos != "windows" {
		return Address{}, "npipe:// is for Windows only"
	}
	if name == "" {
		name = defaultPipe
	}
	name = "//" + strings.TrimLeft(strings.ReplaceAll(name, `\`, "/"), "/")
	part := strings.SplitN(name[2:], "/", 3)
	if len(part) != 3 || part[0] == "" || !strings.EqualFold(part[1], "pipe") || part[2] == "" {
		return Address{}, "not the name of a pipe (npipe:////./pipe/name)"
	}
	if strings.ContainsAny(name, "?#") {
		return Address{}, "a pipe's address has no query or fragment"
	}
	if strings.TrimSpace(name) != name {
		return Address{}, "white space at the end of the pipe's name"
	}
	return Address{Scheme: SchemeNpipe, Path: name}, ""
}

// parseNetwork reads [user@]host[:port][/path].
func parseNetwork(scheme, rest string) (Address, string) {
	a := Address{Scheme: scheme}
	if strings.ContainsAny(rest, "?#") {
		return a, "an engine's address has no query or fragment"
	}
	authority := rest
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, a.Path = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, reason := parseUser(scheme, authority[:i])
		if reason != "" {
			return a, reason
		}
		a.User, authority = user, authority[i+1:]
	}
	host, port, reason := splitHostPort(authority)
	if reason != "" {
		return a, reason
	}
	a.Host, a.Port = host, port
	if scheme == SchemeSSH {
		return finishSSH(a)
	}
	if authority == "" {
		return a, "no host"
	}
	if a.Port == "" {
		return a, "port is required"
	}
	if a.Host == "" {
		a.Host = "127.0.0.1"
	}
	a.Path = strings.TrimRight(a.Path, "/")
	if strings.ContainsAny(a.Path, ` "<>\^{|}`+"`") {
		return a, "character that a path of a URL cannot have"
	}
	return a, ""
}

// finishSSH applies what only ssh addresses have.
func finishSSH(a Address) (Address, string) {
	if a.Host == "" {
		return a, "no host"
	}
	if a.Path == "/" {
		a.Path = ""
	}
	if strings.TrimSpace(a.Path) != a.Path {
		return a, "white space at the end of the socket's path"
	}
	return a, ""
}

// parseUser reads what is before the "@". What starts with "-" would be an
// option of the ssh program.
func parseUser(scheme, info string) (user, reason string) {
	if scheme != SchemeSSH {
		return "", "a user is for ssh:// only"
	}
	if strings.Contains(info, ":") {
		return "", "a password cannot be part of the address"
	}
	user, err := url.PathUnescape(info)
	if err != nil || user == "" || user[0] == '-' || strings.ContainsFunc(user, notInUser) {
		return "", "malformed user"
	}
	return user, ""
}

func notInUser(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar || strings.ContainsRune(`/:"'`, r)
}

// splitHostPort splits host[:port] or [ip6][:port]; either part may be absent.
func splitHostPort(s string) (host, port, reason string) {
	port, hasPort := "", false
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", "no ] after the IPv6 address"
		}
		rest := s[end+1:]
		host = strings.Replace(s[1:end], "%25", "%", 1)
		ip, err := netip.ParseAddr(host)
		if err != nil || !ip.Is6() || strings.ContainsFunc(ip.Zone(), notInName) {
			return "", "", "not an IPv6 address between the brackets"
		}
		if port, hasPort = strings.CutPrefix(rest, ":"); !hasPort && rest != "" {
			return "", "", "text after the ]"
		}
	} else {
		host, port, hasPort = strings.Cut(s, ":")
		if strings.ContainsFunc(host, notInName) || strings.HasPrefix(host, "-") {
			return "", "", "malformed name of a host"
		}
	}
	if !hasPort {
		return host, "", ""
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", "", fmt.Sprintf("port is required to be a number from 1 to 65535, not %q", port)
	}
	return host, strconv.FormatUint(n, 10), ""
}

func notInName(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r))
}

// maskPassword hides what may be a password, for error messages: rather too much
// than too little.
func maskPassword(s string) string {
	start := 0
	if i := strings.Index(s, "://"); i >= 0 {
		start = i + len("://")
	}
	at := strings.LastIndexByte(s[start:], '@')
	colon := strings.IndexByte(s[start:], ':')
	if at < 0 || colon < 0 || colon > at {
		return s
	}
	return s[:start+colon+1] + "xxxxx" + s[start+at:]
}
