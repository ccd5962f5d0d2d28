//! Every policy of encryption, and every way of getting it wrong.

use super::*;
use crate::encryption::Encryption;
use crate::encryption::{Fault, PLAINTEXT, RC4, Responder, Select};
use crate::frames::Message;
use crate::ledger::Initiated;
use crate::message;
use crate::mse::{DEGENERATE_KEYS, KEY_LENGTH};
use crate::mse::{Rc4, Secrets, agree, pad_end, public_key};

const PRIVATE: [u8; 20] = [3; 20];

/// All that an initiator says that expects its torrent here, and the cipher of the answer.
fn opening(provide: u32, info_hash: [u8; 20]) -> (Vec<u8>, Rc4) {
    let theirs = public_key(&private_key(peer_ip(0)));
    let secrets = Secrets { shared: agree(&PRIVATE, &theirs, false).1, info_hash };
    let ia_length = 68_u16.to_be_bytes();
    let mut offer = [[0; 8].as_slice(), &provide.to_be_bytes(), &[0, 0], &ia_length, &ours()].concat();
    secrets.initiators().apply(&mut offer);
    let key = public_key(&PRIVATE);
    let bytes = [key.as_slice(), &pad_end(&secrets.shared), &secrets.torrent_mark(), &offer].concat();
    (bytes, secrets.responders())
}

fn peer(encryption: Encryption) -> Peer {
    Peer { encryption, ..Peer::default() }
}

fn responding(responder: Responder) -> Peer {
    peer(Encryption::required_by(responder))
}

/// The method selected and what follows it, when this much is provided; `None` if the peer closes after its key.
async fn select(encryption: Encryption, provide: u32) -> Option<u32> {
    let (bytes, mut cipher) = opening(provide, HASH);
    let (_swarm, mut stream) = dial(peer(encryption)).await;
    stream.write_all(&bytes).await.unwrap();
    let mut answer = vec![0; KEY_LENGTH + 14];
    let length = stream.read_exact(&mut answer).await.ok()?;
    cipher.apply(&mut answer[KEY_LENGTH..length]);
    assert_eq!(answer[KEY_LENGTH..KEY_LENGTH + 8], [0; 8]);
    let select = u32::from_be_bytes(answer[KEY_LENGTH + 8..KEY_LENGTH + 12].try_into().unwrap());
    let mut shaken = read(&mut stream, 68).await;
    if select & RC4 != 0 {
        cipher.apply(&mut shaken);
    }
    assert_eq!(shaken, theirs());
    Some(select)
}

#[tokio::test]
async fn exchanges_reckoned_elsewhere() {
    for line in include_str!("../../mse/transcripts.txt").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [select, pad_a, pad_b, pad_c, pad_d, initial_payload] =
            std::array::from_fn(|index| words[index].parse::<usize>().unwrap());
        let bytes = |hex: &str| -> Vec<u8> {
            (0..hex.len() / 2).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect()
        };
        let (said, answer) = (bytes(words[6]), bytes(words[7]));
        let (select, pad_d) = (u32::try_from(select).unwrap(), u16::try_from(pad_d).unwrap());
        let responder = Responder { pad_b, pad_d, ..Responder::selecting(Select::FirstOf(vec![select])) };
        let script = Peer { encryption: Encryption::required_by(responder.clone()), ..Peer::default() };
        for cut in [0, 1, 20, 95, 96, 97, 96 + pad_a, 96 + pad_a + 19, said.len() - 74, said.len() - 5] {
            let (swarm, mut stream) = dial(script.clone().sending([message::have_all()])).await;
            stream.write_all(&said[..cut]).await.unwrap();
            assert!(swarm.wait_for(|counts| counts.received == cut, MINUTE).await);
            stream.write_all(&said[cut..]).await.unwrap();
            assert_eq!(read(&mut stream, answer.len()).await, answer, "{words:?} cut at {cut}");
            stream.shutdown().await.unwrap();
            assert!(swarm.wait_for(|counts| counts.accepted == 1 && counts.open == 0, MINUTE).await);
            let connection = &swarm.connections(peer_ip(0))[0];
            let provide = if select == PLAINTEXT { 3 } else { 2 };
            let initiated = Initiated { pad_a, provide, pad_c, initial_payload, select: Some(select) };
            assert_eq!(connection.mse, Some(initiated));
            assert_eq!(connection.clear, [ours(), message::have_none()].concat());
            assert_eq!(connection.messages, [Message { id: Some(15), length: 1 }]);
            assert_eq!(connection.received, said);
        }
        assert_eq!(responder.length(), answer.len() - 68 - 5);
    }
}

#[tokio::test]
async fn policies_as_real_clients_have_them() {
    let required = |select| Encryption::required_by(Responder::selecting(select));
    let all = |select| Encryption { plaintext: Plaintext::Accepted, ..required(select) };
    let first_of = |methods: &[u32]| Select::FirstOf(methods.to_vec());
    for (name, encryption, plaintext, selected) in [
        ("transmission, required", required(first_of(&[RC4])), false, [None, Some(2), Some(2)]),
        ("transmission, tolerated", all(Select::Exactly(RC4)), true, [None, Some(2), None]),
        ("aria2, required", required(first_of(&[PLAINTEXT, RC4])), false, [Some(1), Some(2), Some(1)]),
        ("aria2, default", all(first_of(&[PLAINTEXT, RC4])), true, [Some(1), Some(2), Some(1)]),
        ("deluge, forced", Encryption::required(), false, [Some(1), Some(2), Some(2)]),
        ("rtorrent, default", Encryption::enabled(), true, [Some(1), Some(2), Some(2)]),
        ("ctorrent", Encryption::default(), true, [None; 3]),
    ] {
        for (provide, selected) in (1..).zip(selected) {
            assert_eq!(select(encryption.clone(), provide).await, selected, "{name}, provided {provide}");
        }
        let answer = if plaintext { theirs() } else { Vec::new() };
        let script = Peer { encryption, ending: Ending::Closes, ..Peer::default() };
        assert_eq!(exchange(script, &ours()).await, (answer, None), "{name}");
    }
}

#[tokio::test]
async fn what_is_selected_need_not_be_offered() {
    for method in [0, 1, 3, 4, u32::MAX] {
        let encryption = Encryption::required_by(Responder::selecting(Select::Always(method)));
        assert_eq!(select(encryption, RC4).await, Some(method));
    }
}

#[tokio::test]
async fn plaintext_is_refused_in_three_ways() {
    for (ending, error) in [(Ending::Closes, None), (Ending::Resets, Some(ErrorKind::ConnectionReset))] {
        let encryption = Encryption { plaintext: Plaintext::Refused(ending), ..Encryption::enabled() };
        assert_eq!(exchange(peer(encryption), &ours()).await, (Vec::new(), error), "{ending:?}");
    }
    let encryption = Encryption { plaintext: Plaintext::Refused(Ending::Stays), ..Encryption::enabled() };
    expect_answer(peer(encryption), b"").await;
}

#[tokio::test]
async fn a_peer_that_refuses_mse() {
    let twenty = [0xa7; 20];
    for (ending, error) in [(Ending::Closes, None), (Ending::Resets, Some(ErrorKind::ConnectionReset))] {
        let encryption = Encryption { mse: Mse::Refused(ending), ..Encryption::default() };
        assert_eq!(exchange(peer(encryption), &twenty).await, (Vec::new(), error), "{ending:?}");
    }
    let encryption = Encryption { mse: Mse::Refused(Ending::Stays), ..Encryption::default() };
    expect_answer(peer(encryption.clone()), &theirs()).await;
    let (swarm, mut stream) = dial(peer(encryption)).await;
    stream.write_all(&[0xa7; 700]).await.unwrap();
    assert!(swarm.wait_for(|counts| counts.received == 700, MINUTE).await);
    assert_eq!(swarm.counts().open, 1);
}

#[tokio::test]
async fn another_torrent_ends_after_req2() {
    let (bytes, _) = opening(RC4, [b'x'; 20]);
    let key = public_key(&private_key(peer_ip(0))).to_vec();
    assert_eq!(exchange(peer(Encryption::enabled()), &bytes).await, (key.clone(), None));
    // And what is not MSE ends when PadA is longer than it may be.
    assert_eq!(exchange(peer(Encryption::enabled()), &[0xa7; 96 + 512 + 20]).await, (key, None));
}

#[tokio::test]
async fn a_hybrid_is_known_by_both_hashes() {
    let other = [b'2'; 20];
    let script = Peer { encryption: Encryption::enabled(), knows: Knows::Hybrid(other), ..Peer::default() };
    let (bytes, mut cipher) = opening(RC4, other);
    let (_swarm, mut stream) = dial(script).await;
    stream.write_all(&bytes).await.unwrap();
    let mut answer = read(&mut stream, KEY_LENGTH + 14 + 68).await;
    cipher.apply(&mut answer[KEY_LENGTH..]);
    // The handshake inside asks for the first hash, and is answered with that.
    assert_eq!(answer[KEY_LENGTH + 14..], theirs());
}

#[tokio::test]
async fn a_peer_may_die_at_each_stage() {
    let (bytes, _) = opening(RC4, HASH);
    let responder = Responder { pad_b: 30, pad_d: 40, ..Responder::default() };
    let whole = responder.length();
    for (ending, error) in [(Ending::Closes, None), (Ending::Resets, Some(ErrorKind::ConnectionReset))] {
        for length in [0, 1, 95, 96, 97, 126, 127, 134, 140, whole, whole + 1, whole + 67, whole + 68] {
            let encryption = Encryption::required_by(responder.clone());
            let script = Peer { encryption, at_most: Some(length), ending, ..Peer::default() };
            let (received, ended) = exchange(script, &bytes).await;
            assert_eq!((received.len(), ended), (length, error), "{length}");
        }
    }
}

#[tokio::test]
async fn faults() {
    let (bytes, _) = opening(RC4, HASH);
    let key = public_key(&private_key(peer_ip(0)));
    for bad in DEGENERATE_KEYS {
        let fault = Some(Fault::Key(bad));
        expect_bytes(responding(Responder { fault, ..Responder::default() }), &bytes, &bad).await;
    }
    let fault = Some(Fault::NoSync);
    let (_swarm, mut stream) = dial(responding(Responder { fault, ..Responder::default() })).await;
    stream.write_all(&bytes).await.unwrap();
    let answer = read(&mut stream, KEY_LENGTH + 512 + 8 + 1).await;
    assert_eq!(answer[..KEY_LENGTH], key);

    let fault = Some(Fault::WrongConstant);
    let (_swarm, mut stream) = dial(responding(Responder { fault, ..Responder::default() })).await;
    stream.write_all(&bytes).await.unwrap();
    let mut answer = read(&mut stream, KEY_LENGTH + 14).await;
    opening(RC4, HASH).1.apply(&mut answer[KEY_LENGTH..]);
    assert_eq!(answer[KEY_LENGTH..], [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 2, 0, 0]);
}

#[tokio::test]
async fn an_endless_pad_ends_with_us() {
    let fault = Some(Fault::EndlessPad);
    let (swarm, mut stream) = dial(responding(Responder { fault, ..Responder::default() })).await;
    stream.write_all(&opening(RC4, HASH).0).await.unwrap();
    read(&mut stream, 1 << 20).await;
    drop(stream);
    assert!(swarm.wait_for(|counts| counts.accepted == 1 && counts.open == 0, MINUTE).await);
}

#[tokio::test]
async fn a_responder_can_be_slow() {
    let delivery = Delivery::Trickle { from: 0, pause: Duration::ZERO };
    let script = Peer { encryption: Encryption::enabled(), delivery, ..Peer::default() };
    let (bytes, mut cipher) = opening(RC4, HASH);
    let (_swarm, mut stream) = dial(script).await;
    stream.write_all(&bytes).await.unwrap();
    let mut answer = read(&mut stream, KEY_LENGTH + 14 + 68).await;
    cipher.apply(&mut answer[KEY_LENGTH..]);
    assert_eq!(answer[KEY_LENGTH + 14..], theirs());
}
