// Package secrets keeps the engine's secrets: one file each, readable by its owner
// alone. They are not encrypted.
package secrets
