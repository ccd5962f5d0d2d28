// libtorrent's bdecode with the limits of its torrent loader, as a C function.

#include <cstddef>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/error_code.hpp>

extern "C" int bench_libtorrent_bdecode(char const* bytes, std::size_t length) {
    lt::error_code error;
    lt::bdecode_node const node = lt::bdecode({bytes, static_cast<std::ptrdiff_t>(length)}, error, nullptr, 200, 3000000);
    return error ? 0 : static_cast<int>(node.type());
}
