// Package leaktest fails tests that leave goroutines or file descriptors behind. It is for this module's own tests.
package leaktest
