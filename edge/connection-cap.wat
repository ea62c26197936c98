;; A network filter for Envoy that caps the open connections of one address. Envoy itself can cap
;; those of a process or a listener only, so one address could take them all.
;;
;; It speaks Proxy-Wasm 0.2.1 and sees nothing but addresses. Its configuration is the cap, as a
;; google.protobuf.UInt32Value. A connection above the cap is closed at once. An IPv6 address counts
;; as its /64, of which one caller usually has all. The counters are shared by all worker threads.
;; There are 8,192, chosen by a hash of the address, so they never take more than about a megabyte;
;; in the rare case that two addresses have the same counter, they share one cap.
(module
  (import "env" "proxy_get_property"
    (func $getProperty (param $path i32) (param $pathSize i32) (param $value i32) (param $size i32)
      (result i32)))
  (import "env" "proxy_get_buffer_bytes"
    (func $getBuffer (param $type i32) (param $start i32) (param $length i32) (param $value i32)
      (param $size i32) (result i32)))
  (import "env" "proxy_get_shared_data"
    (func $getShared (param $key i32) (param $keySize i32) (param $value i32) (param $size i32)
      (param $version i32) (result i32)))
  (import "env" "proxy_set_shared_data"
    (func $setShared (param $key i32) (param $keySize i32) (param $value i32) (param $size i32)
      (param $version i32) (result i32)))
  (import "env" "proxy_close_stream" (func $closeStream (param $type i32) (result i32)))

  (memory (export "memory") 1)
  ;; Where the host writes the address and the size of a value that it returns, and its version.
  (global $value i32 (i32.const 0))
  (global $size i32 (i32.const 4))
  (global $version i32 (i32.const 8))
  ;; The key and the content of a counter, four bytes each.
  (global $key i32 (i32.const 12))
  (global $content i32 (i32.const 16))
  (global $path i32 (i32.const 32))
  (data (i32.const 32) "source\00address")
  (global $pathSize i32 (i32.const 14))
  ;; Where values themselves are written. Each is read before the next one is asked for.
  (global $scratch i32 (i32.const 1024))

  (global $counters i32 (i32.const 8192))
  (global $cap (mut i32) (i32.const 0))

  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (global.get $scratch))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))

  ;; Reads the cap. Sets absent counters to 0 before connections arrive: a write of a counter that
  ;; does not exist yet has no version, so two threads could overwrite each other's.
  (func (export "proxy_on_configure") (param $context i32) (param $length i32) (result i32)
    (local $at i32) (local $byte i32) (local $shift i32) (local $counter i32)
    ;; 7 is the configuration. The message has one field: a tag of one byte, then a varint.
    (if (call $getBuffer (i32.const 7) (i32.const 0) (local.get $length)
          (global.get $value) (global.get $size))
      (then (return (i32.const 0))))
    (local.set $at (i32.load (global.get $value)))
    (global.set $cap (i32.const 0))
    (loop $varint
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $byte (i32.load8_u (local.get $at)))
      (global.set $cap
        (i32.or (global.get $cap)
          (i32.shl (i32.and (local.get $byte) (i32.const 0x7f)) (local.get $shift))))
      (local.set $shift (i32.add (local.get $shift) (i32.const 7)))
      (br_if $varint (i32.and (local.get $byte) (i32.const 0x80))))

    (loop $next
      (i32.store (global.get $key) (local.get $counter))
      (if (call $getShared (global.get $key) (i32.const 4)
            (global.get $value) (global.get $size) (global.get $version))
        (then
          (i32.store (global.get $content) (i32.const 0))
          (drop (call $setShared (global.get $key) (i32.const 4)
            (global.get $content) (i32.const 4) (i32.const 0)))))
      (local.set $counter (i32.add (local.get $counter) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $counter) (global.get $counters))))
    (i32.const 1))

  (func (export "proxy_on_new_connection") (param $context i32) (result i32)
    (if (i32.le_u (call $count (i32.const 1)) (global.get $cap)) (then (return (i32.const 0))))
    ;; 2 is the caller's connection. The close event below counts it down again.
    (drop (call $closeStream (i32.const 2)))
    (i32.const 1))

  (func (export "proxy_on_downstream_connection_close") (param $context i32) (param $by i32)
    (drop (call $count (i32.const -1))))

  ;; Adds to the counter of the caller's address and returns the sum.
  (func $count (param $more i32) (result i32)
    (local $sum i32)
    (i32.store (global.get $key) (call $counterOfCaller))
    ;; Again if another thread has changed the counter in between.
    (loop $again
      (drop (call $getShared (global.get $key) (i32.const 4)
        (global.get $value) (global.get $size) (global.get $version)))
      (local.set $sum
        (i32.add (i32.load (i32.load (global.get $value))) (local.get $more)))
      (i32.store (global.get $content) (local.get $sum))
      (br_if $again (call $setShared (global.get $key) (i32.const 4)
        (global.get $content) (i32.const 4) (i32.load (global.get $version)))))
    (local.get $sum))

  ;; The counter for `192.0.2.1:1234` or `[2001:db8::1]:1234`: an FNV-1a hash of the address without
  ;; the port, or of the first four groups of IPv6.
  (func $counterOfCaller (result i32)
    (local $at i32) (local $end i32) (local $hash i32) (local $char i32)
    (local $before i32) (local $colons i32) (local $group i32) (local $missing i32) (local $times i32)
    (if (call $getProperty (global.get $path) (global.get $pathSize)
          (global.get $value) (global.get $size))
      (then (return (i32.const 0))))
    (local.set $at (i32.load (global.get $value)))
    (local.set $end (i32.add (local.get $at) (i32.load (global.get $size))))
    (local.set $hash (i32.const 0x811c9dc5))

    (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x5b)) ;; no [, so IPv4
      (then
        (loop $next
          (local.set $hash (call $mix (local.get $hash) (i32.load8_u (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $next
            (i32.and
              (i32.lt_u (local.get $at) (local.get $end))
              (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x3a))))) ;; up to the :
        (return (i32.rem_u (local.get $hash) (global.get $counters)))))

    ;; The number of colons tells for how many groups of zeros `::` stands.
    (local.set $end (local.get $at))
    (loop $next
      (local.set $end (i32.add (local.get $end) (i32.const 1)))
      (local.set $char (i32.load8_u (local.get $end)))
      (local.set $colons
        (i32.add (local.get $colons) (i32.eq (local.get $char) (i32.const 0x3a))))
      (br_if $next (i32.ne (local.get $char) (i32.const 0x5d)))) ;; up to the ]

    ;; Groups count as numbers, so it does not matter how their zeros are written.
    (local.set $missing (i32.const 4))
    (loop $next
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $before (local.get $char))
      (local.set $char (i32.load8_u (local.get $at)))
      (if (i32.and
            (i32.ne (local.get $char) (i32.const 0x3a))
            (i32.lt_u (local.get $at) (local.get $end)))
        (then ;; a hexadecimal digit; letters have bit 6 set
          (local.set $group
            (i32.add
              (i32.shl (local.get $group) (i32.const 4))
              (i32.add
                (i32.and (local.get $char) (i32.const 0xf))
                (i32.mul (i32.const 9) (i32.shr_u (local.get $char) (i32.const 6)))))))
        (else ;; the end of one group, or of several that are zero
          (local.set $times
            (select
              (i32.sub (i32.const 8) (local.get $colons))
              (i32.const 1)
              (i32.eq (local.get $before) (i32.const 0x3a))))
          (loop $same
            (local.set $hash (call $mix (local.get $hash) (local.get $group)))
            (local.set $missing (i32.sub (local.get $missing) (i32.const 1)))
            (local.set $times (i32.sub (local.get $times) (i32.const 1)))
            (br_if $same
              (i32.and
                (i32.gt_s (local.get $times) (i32.const 0))
                (i32.gt_s (local.get $missing) (i32.const 0)))))
          (local.set $group (i32.const 0))))
      (br_if $next
        (i32.and
          (i32.lt_u (local.get $at) (local.get $end))
          (i32.gt_s (local.get $missing) (i32.const 0)))))
    (i32.rem_u (local.get $hash) (global.get $counters)))

  (func $mix (param $hash i32) (param $more i32) (result i32)
    (i32.mul (i32.xor (local.get $hash) (local.get $more)) (i32.const 0x01000193)))
)
