//! One peer in full: every stage with its time, and everything it says of itself.

use crate::human::rows::Rows;
use crate::human::style::{BAD, BOLD, GOOD};
use crate::human::words::role_and_share;
use crate::text::{Line, Page, binary_size, span, time};
use client::{AttemptReport, ListenEnd, Oddity, Outcome, PeerReport, Transport};
use guard::escape;
use peer_wire::{ExtensionHandshake, Reserved};
use std::time::Duration;

/// The peer's report, in lines.
pub(crate) fn one_peer(report: &PeerReport, page: Page) -> String {
    let good = report.outcome == Outcome::Ok;
    let (mark, style) = if good { (page.marks.good, GOOD) } else { (page.marks.bad, BAD) };
    let title = Line::new().styled(style, mark).add(" ").styled(BOLD, report.address.to_string()).add("  ");
    let mut rows = Rows::under(title.styled(style, report.outcome.to_string()));
    stages(report, &mut rows);
    if let Some(theirs) = &report.theirs {
        rows.add("info-hash", theirs.info_hash.to_string());
        rows.add("peer id", format!("{}  {}", theirs.peer_id.hex(), theirs.peer_id));
        rows.add("reserved", reserved(theirs.reserved));
    }
    rows.some("client", report.client());
    if good {
        let has = role_and_share(report);
        let role = has.strip_prefix("role ").unwrap_or(&has);
        rows.some("role", (!has.is_empty()).then(|| format!("{role}, from {}", report.role_from.code())));
        rows.some("pieces", report.completeness.map(|told| format!("{} of {}", told.have, told.pieces)));
    }
    report.extension.iter().for_each(|theirs| extension(theirs, &mut rows));
    rows.add("received", format!("{} bytes", report.bytes_received));
    rows.some("left because", report.listen_end.map(|end| left_because(end, report)));
    let oddities: Vec<&str> = report.oddities.iter().copied().map(Oddity::code).collect();
    rows.some("oddities", (!oddities.is_empty()).then(|| oddities.join(", ")));
    let is_told = has_attempts(report) && report.attempts.iter().any(|attempt| attempt.error == report.error);
    rows.some("reason", report.error.clone().filter(|_| !is_told));
    rows.some("hint", report.hint().map(str::to_owned));
    rows.whole(page).join("\n")
}

fn stages(report: &PeerReport, rows: &mut Rows) {
    rows.add("stage", report.stage.code());
    if has_attempts(report) {
        report.attempts.iter().for_each(|attempt| rows.add(way(attempt), how(attempt)));
        return;
    }
    let over = if report.transport == Transport::Utp { ", over uTP" } else { "" };
    let clear = if report.encryption.is_encrypted() { "encrypted" } else { "in the clear" };
    rows.some("connect", report.connect.map(|took| time(took) + over));
    rows.some("handshake", report.handshake.map(|took| format!("{}, {clear}", time(took))));
}

/// Whether it has a row for each attempt: unless the only one succeeded.
fn has_attempts(report: &PeerReport) -> bool {
    report.attempts.iter().any(|attempt| attempt.outcome != Outcome::Ok)
}

fn way(attempt: &AttemptReport) -> &'static str {
    match (attempt.transport, attempt.encryption.is_encrypted()) {
        (Transport::Utp, false) => "uTP",
        (Transport::Utp, true) => "uTP, encrypted",
        (_, false) => "TCP",
        (_, true) => "TCP, encrypted",
    }
}

/// `closed_before_handshake: the peer closed the connection; connected in 0.3 ms`.
fn how(attempt: &AttemptReport) -> String {
    let error = attempt.error.as_ref().map(|error| format!(": {error}"));
    let times = [("connected", attempt.connect), ("handshake", attempt.handshake)];
    let times = times.iter().filter_map(|(what, took)| Some(format!("; {what} in {}", time((*took)?))));
    format!("{}{}{}", attempt.outcome, error.unwrap_or_default(), times.collect::<String>())
}

/// Why we stopped listening.
fn left_because(end: ListenEnd, report: &PeerReport) -> String {
    let words = match end {
        ListenEnd::Quiet => "all was said",
        ListenEnd::TimeUp => "time was up",
        ListenEnd::Closed => "the peer closed the connection",
        ListenEnd::Budget => "our buffers were full",
        ListenEnd::TooMuch => "it sent more than is read of one peer",
        _ => report.error.as_deref().unwrap_or(end.code()),
    };
    words.to_owned()
}

/// How long ago it became complete; -1 is libtorrent's word for a client that was complete when it began.
fn complete_ago(seconds: i64) -> String {
    match u64::try_from(seconds) {
        Ok(seconds) => span(Duration::from_secs(seconds)),
        Err(_) => format!("{seconds} s"),
    }
}

/// The eight bytes, and what their bits are called.
fn reserved(reserved: Reserved) -> String {
    let names: Vec<&str> = reserved.names().collect();
    let unnamed = reserved.unnamed();
    let rest = (unnamed != Reserved::default()).then(|| format!("and {unnamed}"));
    let said: Vec<String> = names.into_iter().map(str::to_owned).chain(rest).collect();
    if said.is_empty() { reserved.to_string() } else { format!("{reserved}  {}", said.join(", ")) }
}

/// The extension handshake by BEP 10's keys.
fn extension(theirs: &ExtensionHandshake, rows: &mut Rows) {
    let m: Vec<String> = theirs.extensions.iter().map(|(name, id)| format!("{}={id}", escape(name))).collect();
    rows.add("extensions", if m.is_empty() { "none".to_owned() } else { m.join(", ") });
    rows.some("v", theirs.client.as_ref().map(|client| escape(client).to_string()));
    rows.some("p", theirs.port.map(|port| port.to_string()));
    rows.some("reqq", theirs.reqq.map(|reqq| reqq.to_string()));
    rows.some("metadata_size", theirs.metadata_size.map(binary_size));
    rows.some("yourip", theirs.yourip.map(|ip| ip.to_string()));
    rows.some("ipv4", theirs.ipv4.map(|ip| ip.to_string()));
    rows.some("ipv6", theirs.ipv6.map(|ip| ip.to_string()));
    rows.some("upload_only", theirs.upload_only.map(|only| only.to_string()));
    rows.some("e", theirs.prefers_encryption.map(|prefers| prefers.to_string()));
    rows.some("complete_ago", theirs.complete_ago.map(complete_ago));
    let dropped: Vec<&str> = theirs.dropped.iter().map(|dropped| dropped.key).collect();
    rows.some("unusable keys", (!dropped.is_empty()).then(|| dropped.join(", ")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Marks;
    use client::{Detail, Encryption, Stage};
    use tracker::PeerAddress;

    #[test]
    fn each_of_several_attempts_has_a_row_with_its_error_and_times() {
        let ms = |ms| Some(Duration::from_millis(ms));
        let attempt = |transport, encryption, outcome, stage, error: &str| {
            let mut attempt = AttemptReport::new(transport, encryption, outcome, stage);
            attempt.error = (!error.is_empty()).then(|| error.to_owned());
            attempt.connect = (stage >= Stage::Handshake).then(|| Duration::from_millis(31));
            attempt
        };
        let (closed, timed_out) = ("closed after 0 of 68 bytes", "no answer in 4 s");
        let address = PeerAddress::Socket(([203, 0, 113, 7], 51413).into());
        let mut report = PeerReport::new(address, Outcome::ClosedBeforeHandshake, Stage::Handshake);
        (report.error, report.connect) = (Some(closed.to_owned()), ms(31));
        let mut garbled =
            attempt(Transport::Tcp, Encryption::Rc4, Outcome::EncryptionFailed, Stage::Handshake, "it closed");
        garbled.detail = Some(Detail::BeforeItsKey);
        report.attempts = vec![
            attempt(Transport::Tcp, Encryption::None, Outcome::ClosedBeforeHandshake, Stage::Handshake, closed),
            garbled,
            attempt(Transport::Utp, Encryption::None, Outcome::NoUtpAnswer, Stage::Connect, timed_out),
        ];
        let page = Page { columns: 80, cuts: false, marks: Marks::ASCII };
        let shown = |report: &PeerReport| anstream::adapter::strip_str(&one_peer(report, page)).to_string();
        let rows = "  stage           handshake
  TCP             closed_before_handshake: closed after 0 of 68 bytes; connected in 31.0 ms
  TCP, encrypted  encryption_failed: it closed; connected in 31.0 ms
  uTP             no_utp_answer: no answer in 4 s
  received        0 bytes
  hint            it turned us away before a word, and encryption did not help";
        assert!(shown(&report).contains(rows), "{}", shown(&report));

        // The violation after a valid handshake is of no attempt.
        (report.outcome, report.stage, report.transport) = (Outcome::Ok, Stage::Done, Transport::Utp);
        (report.encryption, report.error) = (Encryption::Rc4, Some("a message too long".to_owned()));
        let mut answered = attempt(Transport::Utp, Encryption::Rc4, Outcome::Ok, Stage::Done, "");
        answered.handshake = ms(2);
        report.attempts = vec![report.attempts.remove(0), answered];
        for row in [
            "  uTP, encrypted  ok; connected in 31.0 ms; handshake in 2.0 ms\n",
            "  reason          a message too long\n",
            "  hint            it answered over uTP after it had closed TCP",
        ] {
            assert!(shown(&report).contains(row), "{}", shown(&report));
        }
        (report.attempts, report.handshake) = (vec![report.attempts.remove(1)], ms(2));
        let rows = "  connect         31.0 ms, over uTP\n  handshake       2.0 ms, encrypted\n";
        assert!(shown(&report).contains(rows), "{}", shown(&report));
        let line = crate::human::lines::peer(&report, page).on(page);
        assert!(line.contains("  unknown client over uTP, encrypted"), "{line}");
    }
}
