//go:build linux

package config

import (
	"io"
	"os"
	"path"
	"strings"
)

const zoneinfo = "/usr/share/zoneinfo"

// timezone puts a zone's file on /etc/localtime, as Podman does: the host's, else the image's own.
func (b *builder) timezone() error {
	zone := b.s.Timezone
	if zone == "" {
		return nil
	}
	if b.taken("/etc/localtime") {
		return invalid("Spec.Timezone", zone, "a mount is on /etc/localtime already")
	}
	data, err := b.zone(zone)
	if err != nil {
		return err
	}
	b.file("localtime", data, 0o644)
	b.bindFile(path.Join(b.in.Dir, "files/localtime"), "/etc/localtime", true)
	return nil
}

func (b *builder) zone(zone string) ([]byte, error) {
	if zone == "local" {
		data, err := os.ReadFile("/etc/localtime")
		if os.IsNotExist(err) {
			// A host without the file lives in UTC.
			return utcZone(), nil
		}
		return data, err
	}
	if strings.HasPrefix(zone, "/") || path.Clean(zone) != zone || strings.HasPrefix(zone, "..") {
		return nil, invalid("Spec.Timezone", zone, "want a zone's name, such as Europe/Berlin, or local")
	}
	data, err := os.ReadFile(path.Join(zoneinfo, zone))
	if err == nil && isZone(data) {
		return data, nil
	}
	if f, err := (layers{dirs: b.in.LayerDirs}).open(path.Join(zoneinfo, zone)); err == nil {
		defer f.Close()
		if data, err := io.ReadAll(io.LimitReader(f, 1<<20)); err == nil && isZone(data) {
			return data, nil
		}
	}
	if !exists(zoneinfo) {
		return nil, unsupported("Spec.Timezone", zone, "neither this machine nor the image has "+zoneinfo)
	}
	return nil, invalid("Spec.Timezone", zone, "there is no such time zone")
}

// isZone: the file format of RFC 8536.
func isZone(b []byte) bool { return len(b) > 44 && string(b[:4]) == "TZif" }

// utcZone is UTC in the format of RFC 8536, version 1: one type of local time, of offset 0 and the name "UTC".
func utcZone() []byte {
	b := make([]byte, 44, 64)
	copy(b, "TZif")
	b[39], b[43] = 1, 4 // one type, four characters of names
	return append(b, 0, 0, 0, 0, 0, 0, 'U', 'T', 'C', 0)
}
