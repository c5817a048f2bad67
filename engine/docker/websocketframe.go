package docker

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

const (
	finalBit   = 0x80
	maskBit    = 0x80
	maxControl = 125 // bytes of a control frame's payload
)

// frameHead is the head of a frame that a server sent.
type frameHead struct {
	opcode byte
	final  bool
	size   uint64
}

// readFrameHead reads the head of a server's frame, which must not be masked. io.EOF is an end between two frames.
func readFrameHead(r io.Reader) (frameHead, error) {
	var b [8]byte
	if _, err := io.ReadFull(r, b[:2]); err != nil {
		return frameHead{}, err
	}
	h := frameHead{opcode: b[0] & 0xf, final: b[0]&finalBit != 0, size: uint64(b[1] &^ maskBit)}
	if b[0]&0x70 != 0 || b[1]&maskBit != 0 {
		return h, fmt.Errorf("invalid websocket frame %#x", b[:2])
	}
	length := 0
	switch h.size {
	case 126:
		length = 2
	case 127:
		length = 8
	}
	if length > 0 {
		if _, err := io.ReadFull(r, b[8-length:]); err != nil {
			return h, unexpected(err)
		}
		clear(b[:8-length])
		h.size = binary.BigEndian.Uint64(b[:])
	}
	switch h.opcode {
	case opContinuation, opText, opBinary:
		if h.size > 1<<62 {
			return h, errors.New("invalid websocket frame: its size is beyond all bounds")
		}
	case opClose, opPing, opPong:
		if h.size > maxControl || !h.final {
			return h, errors.New("invalid websocket frame: a control frame is large or in parts")
		}
	default:
		return h, fmt.Errorf("invalid websocket frame: opcode %#x", h.opcode)
	}
	return h, nil
}

// unexpected is err, with which a frame ended within itself.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// appendFrame appends a client's frame, masked as clients must (section 5.3).
func appendFrame(b []byte, opcode byte, payload []byte) []byte {
	b = append(b, finalBit|opcode)
	switch n := len(payload); {
	case n < 126:
		b = append(b, maskBit|byte(n))
	case n < 1<<16:
		b = append(b, maskBit|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, maskBit|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	var mask [4]byte
	rand.Read(mask[:]) // never fails
	b = append(b, mask[:]...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	return b
}
