// Package xattr reads and writes the extended attributes of files that are held by
// descriptors, and knows which of them are data that an archive has.
//
// It is what packages layer and files share; how overlay marks its whiteouts with
// attributes is layer's business.
package xattr
