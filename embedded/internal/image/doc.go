// Package image is the store of the embedded engine's images: names,
// configurations and manifests as blobs, and unpacked layers.
//
// It pulls from and pushes to registries, loads and saves archives, and makes
// images of root file systems and of containers. Several processes share one
// store without a daemon:
//
//	images/index.json   names and images; replaced by rename under images/index.lock
//	images/gc.lock      held shared while something is added to the store or a
//	                    container is being made, exclusively while unreferenced
//	                    layers and blobs are removed
//	blobs/sha256/HEX    configurations and manifests
//	layers/HEX/         layer.json, diff/ and journal.gz of an unpacked layer, by diffID
//	layers/.tmp/        what is being made: renamed when complete. As everybody who
//	                    makes something holds gc.lock, its exclusive holder finds
//	                    here only what the dead have left, and removes it
//
// An image's ID is the digest of its configuration, as Docker and Podman compute
// it. A layer is unpacked once however many images have it, and its tar can be
// given again byte for byte.
//
// It mounts nothing, keeps no goroutine while no call is in progress, and does not
// look for credentials. It is for Linux only.
package image
