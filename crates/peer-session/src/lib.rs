#![doc = include_str!("../README.md")]

mod advertised;
mod alarm;
mod budget;
mod dump;
mod early;
mod extensions;
mod habits;
mod handshake;
mod hello;
mod layers;
mod listen;
mod metadata;
mod not_bittorrent;
mod oddity;
mod pex;
mod piece_count;
mod read;
mod secure;
mod session;

pub use advertised::{Advertised, MOST_HOLES, Pieces, Violation, may_be_lazy};
pub use alarm::{before, end};
pub use budget::{ByteBudget, Charge};
pub use dump::{WIRE, is_dumped, masking};
pub use extensions::{Extension, Extensions};
pub use habits::{Silence, keeps_its_id};
pub use handshake::{HandshakeDone, HandshakeFailure, handshake};
pub use hello::{Greeting, Hello};
pub use layers::{HashRequests, LayerAssembly, LayerPeer, LayerReport};
pub use listen::{ListenEnd, Listening};
pub use metadata::{Assembly, MetadataLimits, MetadataPeer, MetadataReport, Standing, UtMetadata};
pub use not_bittorrent::{NotBitTorrent, Sniffed};
pub use oddity::{Oddities, Oddity};
pub use pex::{PexHeard, PexRecord, UtPex};
pub use piece_count::PieceCount;
pub use secure::SecureFailure;
pub use session::{Ended, Failure, Met, Progress, Rules, Session};
