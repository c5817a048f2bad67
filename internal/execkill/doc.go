// Package execkill ends the process of an exec on engines that have no endpoint
// for it.
package execkill
