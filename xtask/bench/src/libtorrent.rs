//! libtorrent's C++ `bdecode`, which the reference has to beat.

#[cfg(libtorrent)]
#[allow(unsafe_code, reason = "the contender is C++")]
pub(crate) fn bdecode(input: &[u8]) -> Result<(), String> {
    unsafe extern "C" {
        fn bench_libtorrent_bdecode(bytes: *const std::ffi::c_char, length: usize) -> std::ffi::c_int;
    }
    // SAFETY: the function reads `length` bytes from `bytes`, keeps no pointer, and throws no exception for valid input.
    match unsafe { bench_libtorrent_bdecode(input.as_ptr().cast(), input.len()) } {
        0 => Err("refused".to_owned()),
        _ => Ok(()),
    }
}

#[cfg(not(libtorrent))]
pub(crate) fn bdecode(_: &[u8]) -> Result<(), String> {
    Err("not built: libtorrent-rasterbar-dev is not installed".to_owned())
}
