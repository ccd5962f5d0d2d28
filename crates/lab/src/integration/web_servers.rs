//! Web servers, each as it answers without a configuration: Python's, caddy, and two from npm.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use xtask::optional::PYTHON;
use xtask::scratch::Scratch;
use xtask::shell::Result;
use xtask::skips::Skips;

use super::packages;
use super::ports::free_port;
use super::process::Process;

/// How long they may take to listen.
const UP_WITHIN: Duration = Duration::from_secs(20);

/// The packages from npm.
const SERVE: &str = "serve@14.2.7";
const HTTP_SERVER: &str = "http-server@14.1.1";

/// A running server.
pub(super) struct WebServer {
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    pub(super) process: Process,
}

/// Starts all of them on a folder, and waits until they listen; those that cannot be had are skipped.
pub(super) fn start_all(skips: &Skips, part: &str, scratch: &Scratch, www: &Path) -> Result<Vec<WebServer>> {
    let www = www.display().to_string();
    let mut servers = vec![
        start(scratch, "python", |port| {
            command(PYTHON, ["-m", "http.server", "--bind", "127.0.0.1", "--directory", &www, port])
        })?,
        start(scratch, "caddy", |port| {
            command("caddy", ["file-server", "--root", &www, "--listen", &format!("127.0.0.1:{port}")])
        })?,
    ];
    if let Some(modules) = packages::npm(skips, part, SERVE)? {
        let program = modules.join("serve/build/main.js").display().to_string();
        // Else it looks for a newer one of itself.
        let options = ["NO_UPDATE_CHECK=1", "node", &program, "--no-clipboard"];
        servers.push(start(scratch, "serve", |port| {
            command("env", options.into_iter().chain(["--listen", &format!("tcp://127.0.0.1:{port}"), &www]))
        })?);
    }
    if let Some(modules) = packages::npm(skips, part, HTTP_SERVER)? {
        let program = modules.join("http-server/bin/http-server").display().to_string();
        servers.push(start(scratch, "http-server", |port| {
            command("node", [&program, &www, "-a", "127.0.0.1", "-p", port])
        })?);
    }
    for server in &mut servers {
        server.process.wait_until_listening(server.address, Instant::now() + UP_WITHIN)?;
    }
    Ok(servers)
}

/// Starts one on a port of 127.0.0.1.
fn start(scratch: &Scratch, name: &'static str, command: impl FnOnce(&str) -> Command) -> Result<WebServer> {
    let port = free_port()?;
    let process = Process::start(name, &command(&port.to_string()), &scratch.folder(&format!("server {name}"))?)?;
    Ok(WebServer { name, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), process })
}

fn command<'a>(program: &str, args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}
