//! `cargo xtask page`: the report of a year of forty torrents in a real browser, on a screen and a phone, light and dark, without
//! script: what it shows fits, nothing lies over anything else, and nothing is requested from anywhere.

mod year;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::SystemTime;

use serde_json::Value;
use xtask::binary;
use xtask::scratch::{self, Scratch};
use xtask::shell::{self, Result};

/// Chromium without a window, of Debian's package of that name: too heavy for `ci`.
const BROWSER: &str = "chromium-headless-shell";

/// Widths of a screen and of a phone, in CSS pixels.
const WIDTHS: [u32; 2] = [1_280, 390];

/// Height of a picture: the overview, and some sections.
const HEIGHT: u32 = 12_000;

/// What the browser prefers, and its number in the engine's settings.
const SCHEMES: [(&str, u8); 2] = [("dark", 0), ("light", 1)];

/// Sheets that a year of forty torrents takes on paper, at most: one each, the overview, and some room.
const MOST_SHEETS: usize = 60;

/// Makes the report, looks at it, and leaves pictures and a PDF in `target/page`.
pub(crate) fn run() -> Result {
    if shell::find_program(BROWSER).is_none() {
        return Err(format!("no {BROWSER} (apt-get install {BROWSER})"));
    }
    let scratch = Scratch::new(false)?;
    let folder = scratch.folder("page")?;
    let (database, page) = (folder.join("releases.db"), folder.join("releases.html"));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_millis()).map_err(|error| error.to_string())?;
    year::write(&database, now).map_err(|error| format!("{}: {error}", database.display()))?;
    shell::run(binary::command(binary::build(false)?).arg("report").arg(&database).arg("-o").arg(&page))?;
    let pictures = shell::root().join("target/page");
    scratch::make_folder(&pictures)?;
    fs::copy(&page, pictures.join("releases.html")).map_err(|error| error.to_string())?;
    let browser = Browser { proxy: Proxy::start()?, folder };
    let mut faults: Vec<String> = browser.asks_when_it_should()?.into_iter().collect();
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for width in WIDTHS {
        for (scheme, number) in SCHEMES {
            faults.extend(browser.faults_of(&page, width, scheme, number)?);
            let picture = browser.picture(&page, &pictures.join(format!("{width}-{scheme}.png")), width, number)?;
            faults.extend(seen.contains(&picture).then(|| format!("{width} {scheme}: the same picture as another")));
            seen.push(picture);
        }
    }
    faults.extend(browser.sheets(&page, &pictures.join("releases.pdf"))?);
    let requests = browser.proxy.requests();
    faults.extend((requests > 0).then(|| format!("{requests} connections for what the page asked")));
    println!("pictures in {}", pictures.display());
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// What every request of the browser would go through: it counts, and hangs up.
struct Proxy {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Proxy {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        thread::spawn(move || listener.incoming().for_each(|_| _ = counted.fetch_add(1, Ordering::SeqCst)));
        Ok(Self { address, requests })
    }

    /// Connections since it was asked last.
    fn requests(&self) -> usize {
        self.requests.swap(0, Ordering::SeqCst)
    }
}

struct Browser {
    proxy: Proxy,
    folder: PathBuf,
}

impl Browser {
    fn command(&self, scheme: u8) -> Command {
        let mut command = Command::new(BROWSER);
        let profile = self.folder.join("profile");
        let proxy = self.proxy.address;
        command
            .args(["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=10000"])
            .arg(format!("--user-data-dir={}", profile.display()))
            // Requests to this machine, too, and names are looked up nowhere.
            .args([&format!("--proxy-server=http://{proxy}"), "--proxy-bypass-list=<-loopback>"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
            .arg(format!("--blink-settings=preferredColorScheme={scheme}"));
        command
    }

    /// The check of requests can fail: a page that asks for a picture is noticed.
    fn asks_when_it_should(&self) -> Result<Option<String>> {
        let page = self.folder.join("asks.html");
        scratch::write(&page, "<img src=http://127.0.0.1:8081/x>")?;
        shell::run_quiet(self.command(1).arg("--dump-dom").arg(&page))?;
        let is_noticed = self.proxy.requests() > 0;
        Ok((!is_noticed).then(|| "a page that asks for a picture was not noticed".to_owned()))
    }

    /// What is wrong with how the page lies on a screen of this width: it is measured in a frame in which no script runs.
    fn faults_of(&self, page: &Path, width: u32, scheme: &str, number: u8) -> Result<Vec<String>> {
        let frame = self.folder.join("frame.html");
        let html = include_str!("page/frame.html").replace("WIDTH", &width.to_string());
        scratch::write(&frame, html.replace("PAGE", &page.file_name().unwrap_or_default().to_string_lossy()))?;
        let mut command = self.command(number);
        let dom = shell::output(command.args(["--allow-file-access-from-files", "--dump-dom"]).arg(&frame))?;
        let measured = dom.split_once("<pre>").and_then(|(_, rest)| rest.split_once("</pre>")).map(|(json, _)| json);
        let measured: Value = serde_json::from_str(measured.unwrap_or_default())
            .map_err(|error| format!("{width} {scheme}: nothing was measured: {error}"))?;
        println!("{width} {scheme}: {measured}");
        let number = |key: &str| measured.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let is_dark = number("background") < 64.0 && number("foreground") > 192.0;
        let is_light = number("background") > 192.0 && number("foreground") < 64.0;
        let checks = [
            ("too little is on the page", number("rows") < 40.0 || number("charts") < 40.0),
            ("it is wider than the screen", number("overflow") != 0.0),
            ("text goes beyond its place", number("beyond") != 0.0),
            ("labels lie over each other", number("overlaps") != 0.0),
            ("its colours are not those that are preferred", if scheme == "dark" { !is_dark } else { !is_light }),
            ("a hostile name is more than text", number("hostile") != 0.0),
            ("it asks for something", number("requests") != 0.0),
        ];
        let wrong = checks.iter().filter(|(_, is_wrong)| *is_wrong);
        Ok(wrong.map(|(what, _)| format!("{width} {scheme}: {what}: {measured}")).collect())
    }

    /// The page as it is seen without script.
    fn picture(&self, page: &Path, picture: &Path, width: u32, number: u8) -> Result<Vec<u8>> {
        let frame = self.folder.join("picture.html");
        let name = page.file_name().unwrap_or_default().to_string_lossy();
        // The browser itself needs script for a picture; a frame can be without.
        let html = format!(
            "<meta name=color-scheme content='light dark'><body style=margin:0>\
            <iframe sandbox src='{name}' width={width} height={HEIGHT} style=border:0></iframe>"
        );
        scratch::write(&frame, html)?;
        let mut command = self.command(number);
        command.arg(format!("--window-size={width},{HEIGHT}")).arg(format!("--screenshot={}", picture.display()));
        shell::run_quiet(command.arg(frame))?;
        fs::read(picture).map_err(|error| format!("{}: {error}", picture.display()))
    }

    /// The page on paper.
    fn sheets(&self, page: &Path, pdf: &Path) -> Result<Option<String>> {
        let mut command = self.command(1);
        shell::run_quiet(
            command.arg("--no-pdf-header-footer").arg(format!("--print-to-pdf={}", pdf.display())).arg(page),
        )?;
        let bytes = fs::read(pdf).map_err(|error| format!("{}: {error}", pdf.display()))?;
        let sheets = String::from_utf8_lossy(&bytes).matches("/Type /Page\n").count();
        println!("{sheets} sheets of paper");
        Ok((sheets == 0 || sheets > MOST_SHEETS).then(|| format!("{sheets} sheets of paper")))
    }
}
