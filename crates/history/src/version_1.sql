-- A round: one pass over a list of torrents. Rounds are in the order of `round`: about the milliseconds since 1970 when it began, and
-- always more than in the round before, also where the clock was set back. at_ms is what the clock said.
CREATE TABLE rounds (
  round INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  at_ms INTEGER NOT NULL
) STRICT;

-- A torrent, by its v1 info-hash or the first 20 bytes of the v2 one. The verdict, and since when (milliseconds since 1970), are
-- those of the last observation that says anything of the swarm.
CREATE TABLE torrents (
  torrent INTEGER PRIMARY KEY,
  info_hash BLOB NOT NULL UNIQUE,
  name TEXT,
  size_bytes INTEGER,
  pieces INTEGER,
  verdict INTEGER,
  since_ms INTEGER
) STRICT;

-- Codes, names of clients, URLs of trackers and web seeds: each once. Others have its id, which is never given again: a reader may
-- remember what it meant.
CREATE TABLE names (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- What most observations have gets a single digit, in lists of up to a few dozen numbers.
INSERT INTO names (id, name) VALUES
  (1, 'ok'), (2, 'connect_timeout'), (3, 'connect_refused'), (4, 'timeout'), (5, 'closed_before_handshake'),
  (6, 'no_utp_answer'), (7, 'tracker'), (8, 'dht'), (9, 'pex');

-- What is known of the file itself: how far it was thinned.
CREATE TABLE progress (
  what TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The fewest verified seeds of each torrent on each day (UTC, counted from 1970-01-01), for ever: what charts of many torrents read.
-- Days on which nothing was said of the swarm are left out.
CREATE TABLE days (
  day INTEGER NOT NULL,
  torrent INTEGER NOT NULL,
  verified_seeds INTEGER NOT NULL,
  PRIMARY KEY (day, torrent)
) STRICT, WITHOUT ROWID;

-- An observation: one torrent in one round. Copies are in thousandths, times in milliseconds, null is unknown. over_utp are the valid
-- handshakes over uTP; the others of `reached` went over TCP. Lists are JSON of numbers: outcomes and clients
-- [name, count, name, count, ...], where client 0 has no name; sources [name, named, ok, only, name, ...]; trackers
-- [[url, status, family, elapsed_ms, peers, seeders, leechers, downloaded], ...], where the family is 4 or 6; web_seeds
-- [[url, status, 1], ...], where the 1 says that it is complete. Nulls at the end, and a web seed's 0, are left out.
CREATE TABLE observations (
  torrent INTEGER NOT NULL,
  round INTEGER NOT NULL,
  verdict INTEGER NOT NULL,
  claimed_seeds INTEGER,
  claimed_leechers INTEGER,
  verified_seeds INTEGER NOT NULL,
  verified_seeds_max INTEGER NOT NULL,
  likely_seeds INTEGER NOT NULL,
  copies_min INTEGER,
  copies_max INTEGER,
  missing_pieces INTEGER,
  missing_ranges TEXT,
  peers INTEGER NOT NULL,
  declined INTEGER NOT NULL,
  reached INTEGER NOT NULL,
  with_piece_info INTEGER NOT NULL,
  list_complete INTEGER,
  outcomes TEXT,
  clients TEXT,
  other_clients INTEGER NOT NULL,
  sources TEXT,
  over_utp INTEGER NOT NULL,
  encrypted INTEGER NOT NULL,
  dht_nodes INTEGER,
  trackers TEXT,
  web_seeds TEXT,
  elapsed_ms INTEGER NOT NULL,
  connect_ms INTEGER,
  connect_ninth_decile_ms INTEGER,
  handshake_ms INTEGER,
  handshake_ninth_decile_ms INTEGER,
  distinct_peers INTEGER,
  seeds_new INTEGER,
  seeds_gone INTEGER,
  PRIMARY KEY (torrent, round)
) STRICT, WITHOUT ROWID;

-- Every observation in words.
CREATE VIEW history AS
SELECT
  lower(hex(t.info_hash)) AS info_hash, t.name, t.size_bytes, t.pieces,
  datetime(r.at_ms / 1000, 'unixepoch') AS at, r.at_ms, v.name AS verdict,
  o.claimed_seeds, o.claimed_leechers, o.verified_seeds, o.verified_seeds_max, o.likely_seeds,
  o.copies_min / 1000.0 AS copies_min, o.copies_max / 1000.0 AS copies_max, o.missing_pieces, o.missing_ranges,
  o.peers, o.declined, o.reached, o.with_piece_info, o.list_complete, o.over_utp, o.encrypted, o.dht_nodes,
  o.elapsed_ms, o.connect_ms, o.connect_ninth_decile_ms, o.handshake_ms, o.handshake_ninth_decile_ms,
  o.distinct_peers, o.seeds_new, o.seeds_gone, o.torrent, o.round
FROM observations o
JOIN torrents t ON t.torrent = o.torrent
JOIN rounds r ON r.round = o.round
JOIN names v ON v.id = o.verdict;

-- The same with what was seen before: without the observations that say nothing of the swarm.
CREATE VIEW steps AS
SELECT
  name, info_hash, at, at_ms, verdict, lag(verdict) OVER w AS verdict_before,
  verified_seeds, lag(verified_seeds) OVER w AS verified_seeds_before,
  copies_min, lag(copies_min) OVER w AS copies_before, missing_pieces, torrent, round
FROM history
WHERE verdict NOT IN ('interrupted', 'offline', 'private_refused', 'trackers_only')
WINDOW w AS (PARTITION BY torrent ORDER BY round);

-- The lists, a row an entry.
CREATE VIEW outcomes AS
SELECT o.torrent, o.round, n.name AS outcome, json_extract(o.outcomes, '$[' || (e.key + 1) || ']') AS peers
FROM observations o, json_each(o.outcomes) e JOIN names n ON n.id = e.value
WHERE e.key % 2 = 0;

CREATE VIEW clients AS
SELECT o.torrent, o.round, n.name AS client, json_extract(o.clients, '$[' || (e.key + 1) || ']') AS peers
FROM observations o, json_each(o.clients) e LEFT JOIN names n ON n.id = e.value
WHERE e.key % 2 = 0;

CREATE VIEW sources AS
SELECT
  o.torrent, o.round, n.name AS source, json_extract(o.sources, '$[' || (e.key + 1) || ']') AS named,
  json_extract(o.sources, '$[' || (e.key + 2) || ']') AS ok,
  json_extract(o.sources, '$[' || (e.key + 3) || ']') AS named_by_it_alone
FROM observations o, json_each(o.sources) e JOIN names n ON n.id = e.value
WHERE e.key % 4 = 0;

CREATE VIEW tracker_answers AS
SELECT
  o.torrent, o.round, u.name AS url, s.name AS status, 'ipv' || json_extract(e.value, '$[2]') AS family,
  json_extract(e.value, '$[3]') AS elapsed_ms, json_extract(e.value, '$[4]') AS peers,
  json_extract(e.value, '$[5]') AS seeders, json_extract(e.value, '$[6]') AS leechers,
  json_extract(e.value, '$[7]') AS downloaded
FROM observations o, json_each(o.trackers) e
JOIN names u ON u.id = json_extract(e.value, '$[0]')
JOIN names s ON s.id = json_extract(e.value, '$[1]');

CREATE VIEW web_seed_checks AS
SELECT o.torrent, o.round, u.name AS url, s.name AS status, coalesce(json_extract(e.value, '$[2]'), 0) AS complete
FROM observations o, json_each(o.web_seeds) e
JOIN names u ON u.id = json_extract(e.value, '$[0]')
JOIN names s ON s.id = json_extract(e.value, '$[1]');
