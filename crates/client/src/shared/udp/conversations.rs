//! The uTP connections of a socket, found by address and id.

use crate::net::entropy;
use crate::shared::udp::datagrams::Datagrams;
use crate::shared::udp::queries::key;
use peer_session::{ByteBudget, Charge};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;
use tokio::time::Instant;
use utp::{Connection, Packet};

/// Connections that were left and still answer late packets of their peers, the newest ones: our RESET may have been lost.
const LEFT: usize = 256;

/// How often an id is drawn for an address that has as many connections as a run may have to it.
const DRAWS: usize = 8;

/// The uTP connections of a socket. Locks are held for a look or a change, never during a wait.
#[derive(Debug)]
pub(crate) struct Conversations {
    table: Mutex<Table>,
    /// For what peers have sent and is not read.
    memory: ByteBudget,
}

#[derive(Debug, Default)]
struct Table {
    all: HashMap<(IpAddr, u16), Vec<Arc<Conversation>>>,
    left: VecDeque<Arc<Conversation>>,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) to: SocketAddr,
    state: Mutex<State>,
}

/// What is known of it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) connection: Connection,
    /// What the network says of its address, before the peer has answered.
    pub(crate) refusal: Option<io::Error>,
    pub(crate) is_refused: bool,
    pub(crate) waker: Option<Waker>,
    memory: Charge,
}

impl Conversations {
    pub(crate) fn new(memory: ByteBudget) -> Self {
        Self { table: Mutex::default(), memory }
    }

    /// Begins one: its SYN is due, and another one `again` later.
    ///
    /// # Errors
    /// The system has no random bytes, or the address has a connection of every id that was drawn.
    pub(crate) fn dial(&self, to: SocketAddr, again: Duration) -> io::Result<Arc<Conversation>> {
        let mut table = lock(&self.table);
        let others = table.all.entry(key(to)).or_insert_with(|| Vec::with_capacity(1));
        for _ in 0..DRAWS {
            let connection =
                Connection::dial(entropy::bytes()?, Instant::now().into_std()).sending_syn_again_after(again);
            if others.iter().all(|other| !other.has_id_beside(connection.connection_id())) {
                let (refusal, is_refused, waker, memory) = (None, false, None, self.memory.charge());
                let state = Mutex::new(State { connection, refusal, is_refused, waker, memory });
                let conversation = Arc::new(Conversation { to, state });
                others.push(Arc::clone(&conversation));
                return Ok(conversation);
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// Keeps one that has ended for late packets, in place of the oldest of those; not if there is nothing at its address.
    pub(crate) fn leave(&self, conversation: Arc<Conversation>) {
        let is_refused = conversation.state().is_refused;
        let mut table = lock(&self.table);
        if is_refused {
            table.forget(&conversation);
            return;
        }
        table.left.push_back(conversation);
        if table.left.len() > LEFT
            && let Some(oldest) = table.left.pop_front()
        {
            table.forget(&oldest);
        }
    }

    /// Hands a datagram to its connection, and sends what that answers. Others are ignored: nothing is accepted here.
    pub(crate) fn deliver(&self, datagram: &[u8], from: SocketAddr, datagrams: &Datagrams) {
        let table = lock(&self.table);
        // Not parsed for strangers.
        let Some(all) = table.all.get(&key(from)) else { return };
        let Ok(packet) = Packet::parse(datagram) else { return };
        let Some(conversation) = all.iter().find(|one| one.state().connection.accepts_id(&packet)).map(Arc::clone)
        else {
            return;
        };
        drop(table);
        let mut state = conversation.state();
        // One that there is no memory for is lost, and sent again. What is next is read at once.
        if !state.has_room_for(&packet) && !state.connection.is_next(&packet) {
            return;
        }
        // Why a packet changes nothing is no matter: it may be late, or forged.
        if state.connection.handle_packet(Instant::now().into_std(), &packet).is_ok() {
            state.wake();
        }
        // Of a late or doubled packet nothing is kept, and one that was left is not read any more.
        state.settle();
        // An error is that of a lost packet.
        let _ = state.transmit(conversation.to, datagrams);
    }

    /// Takes in what the network says of an address.
    pub(crate) fn refuse(&self, address: SocketAddr, error: &io::Error) {
        let Some(code) = error.raw_os_error() else { return };
        for conversation in lock(&self.table).all.get(&key(address)).into_iter().flatten() {
            let mut state = conversation.state();
            // Later it is no reason to leave: an ICMP message is easily forged.
            if !state.connection.is_established() && state.connection.ended().is_none() {
                state.is_refused = true;
                state.refusal = Some(io::Error::from_raw_os_error(code));
                state.wake();
            }
        }
    }
}

impl Table {
    fn forget(&mut self, conversation: &Arc<Conversation>) {
        let key = key(conversation.to);
        let Some(others) = self.all.get_mut(&key) else { return };
        others.retain(|other| !Arc::ptr_eq(other, conversation));
        if others.is_empty() {
            self.all.remove(&key);
        }
    }
}

impl Conversation {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Whether packets of a connection with this id could be taken for its own, or its own for those: each uses the next id, too.
    fn has_id_beside(&self, id: u16) -> bool {
        let distance = self.state().connection.connection_id().wrapping_sub(id);
        matches!(distance, 0 | 1 | u16::MAX)
    }
}

impl State {
    /// Sends what is due.
    ///
    /// # Errors
    /// A packet that could not be sent. It counts as lost on the way.
    pub(crate) fn transmit(&mut self, to: SocketAddr, datagrams: &Datagrams) -> io::Result<()> {
        let (now, mut buffer, mut result) = (Instant::now().into_std(), Vec::new(), Ok(()));
        while let Some(datagram) = self.connection.poll_transmit(now, &mut buffer) {
            result = result.and(datagrams.send(to, datagram));
        }
        result
    }

    /// Takes memory for what a packet brings.
    fn has_room_for(&mut self, packet: &Packet<'_>) -> bool {
        let more = packet.payload.len();
        more == 0 || self.memory.hold(self.connection.held() + more)
    }

    /// Gives back the memory of what was read or not kept.
    pub(crate) fn settle(&mut self) {
        self.memory.hold(self.connection.held());
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
