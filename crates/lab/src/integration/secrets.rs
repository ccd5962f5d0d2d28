//! The secrets planted in every URL that the binary is given, and the search for them in all it says.
//!
//! Every row of every table here runs with the whole log at trace level, so that each success and each kind of failure
//! is also a test of what it gives away.

use crate::report::Report;

/// A passkey, of the kind that stands in a path or a query.
pub(super) const PASSKEY: &str = "0f3c9a7d5e1b2468ace13579bdf0c2d4";
/// A user's name, before the host.
const USER: &str = "lab-user-7391";
/// And the password.
const PASSWORD: &str = "lab-word-5527";
/// Both as they stand in an `Authorization` header: `printf USER:PASSWORD | base64`.
const BASIC: &str = "bGFiLXVzZXItNzM5MTpsYWItd29yZC01NTI3";

/// The URL with secrets wherever it has room for them: in the query, and before the host where there is HTTP's basic
/// authentication. One in the path is the caller's business: not every tracker takes it.
pub(super) fn planted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let userinfo = if scheme.starts_with("http") { format!("{USER}:{PASSWORD}@") } else { String::new() };
    let glue = if rest.contains('?') { '&' } else { '?' };
    format!("{scheme}://{userinfo}{rest}{glue}passkey={PASSKEY}")
}

/// The planted secrets that a run gave away, on stdout, on stderr or in the log.
pub(super) fn given_away(report: &Report) -> Vec<String> {
    let escaped = |secret: &str| secret.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let mut forms: Vec<String> = [PASSKEY, USER, PASSWORD, BASIC].map(str::to_owned).to_vec();
    forms.extend([PASSKEY, USER, PASSWORD].map(escaped));
    let found = |text: &str, form: &String| text.to_ascii_lowercase().contains(&form.to_ascii_lowercase());
    // Some reports are long, and hardly any has one of them.
    let all = [report.said.as_str(), &report.complaint].map(str::to_ascii_lowercase);
    forms.retain(|form| all.iter().any(|text| text.contains(&form.to_ascii_lowercase())));
    let streams = [("stdout", &report.said), ("stderr", &report.complaint)];
    let faults = streams.iter().flat_map(|(name, text)| {
        let lines =
            forms.iter().filter_map(|form| text.lines().find(|line| found(line, form)).map(|line| (form, line)));
        lines.map(|(form, line)| format!("{name} gives {form} away: {line}")).collect::<Vec<_>>()
    });
    faults.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    #[test]
    fn secrets_are_planted_where_there_is_room() {
        assert_eq!(
            planted("http://127.0.0.1:1/announce"),
            format!("http://{USER}:{PASSWORD}@127.0.0.1:1/announce?passkey={PASSKEY}")
        );
        assert_eq!(planted("udp://[::1]:1/announce?a"), format!("udp://[::1]:1/announce?a&passkey={PASSKEY}"));
    }

    #[test]
    fn every_form_is_found_on_every_stream() {
        let escaped = PASSKEY.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        for form in [PASSKEY, USER, PASSWORD, BASIC, &escaped] {
            let mut out = report(&[]);
            assert_eq!(given_away(&out), Vec::<String>::new());
            out.said = format!("a line\n{{\"url\": \"{form}\"}}\n");
            let mut err = report(&[]);
            err.complaint = format!("TRACE {form}\n");
            assert_eq!((given_away(&out).len(), given_away(&err).len()), (1, 1), "{form}");
        }
    }
}
