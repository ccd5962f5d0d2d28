//! Builds the C++ function that calls libtorrent's bdecode, if Debian's libtorrent-rasterbar-dev is installed, or the headers
//! and the library are found through `CXXFLAGS` and `LIBRARY_PATH`; without it the bench says so and leaves it out.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(libtorrent)");
    for file in ["build.rs", "src/libtorrent.cpp"] {
        println!("cargo::rerun-if-changed={file}");
    }
    println!("cargo::rerun-if-env-changed=CXXFLAGS");
    let built = cc::Build::new()
        .cpp(true)
        .std("c++17")
        .opt_level(3)
        .warnings(false)
        .define("TORRENT_LINKING_SHARED", None)
        .define("BOOST_ASIO_ENABLE_CANCELIO", None)
        .define("BOOST_ASIO_NO_DEPRECATED", None)
        .file("src/libtorrent.cpp")
        .try_compile("bench_libtorrent");
    match built {
        Ok(()) => {
            println!("cargo::rustc-cfg=libtorrent");
            println!("cargo::rustc-link-lib=dylib=torrent-rasterbar");
        }
        Err(_) => {
            println!("cargo::warning=libtorrent-rasterbar-dev is not installed: libtorrent's bdecode is left out")
        }
    }
}
