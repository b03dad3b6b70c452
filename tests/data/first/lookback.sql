BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE clips (
	clip_id VARCHAR(64) NOT NULL, 
	session_id VARCHAR(64) NOT NULL, 
	room_name TEXT NOT NULL, 
	community_id TEXT, 
	user_id VARCHAR(255) NOT NULL, 
	title TEXT NOT NULL, 
	search_text TEXT NOT NULL, 
	created_at_us BIGINT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	requested_start_us BIGINT NOT NULL, 
	requested_end_us BIGINT NOT NULL, 
	delivered_start_us BIGINT NOT NULL, 
	delivered_end_us BIGINT NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	container VARCHAR(8) NOT NULL, 
	etag VARCHAR(128) NOT NULL, 
	storage VARCHAR(16) NOT NULL, 
	video_codec VARCHAR(16) NOT NULL, 
	audio_codec VARCHAR(16), 
	width BIGINT NOT NULL, 
	height BIGINT NOT NULL, 
	sha256 VARCHAR(64), 
	has_poster BOOLEAN NOT NULL, 
	idempotency_key VARCHAR(255), 
	deleted_at_us BIGINT, 
	gaps JSON NOT NULL, 
	renditions JSON NOT NULL, 
	PRIMARY KEY (clip_id)
);
INSERT INTO "clips" VALUES('1a2109488c9-b429ec7f234d4a21b123','1a210947a5d-12234a4994e249a2b25f','office',NULL,'alice','Größe der Änderung','grösse der änderung
office',1795574499529905,'ready',1795574498435392,1795574499435392,1795574498387342,1795574499387342,68495,'mp4','"27d193bd570265afa417d14f841c885d"','file','h264','opus',320,180,'2efc94494eb497799c685e65d74ab57a299f549e3b7c20a432e937b545f18065',1,NULL,NULL,'[]','[]');
INSERT INTO "clips" VALUES('1a21094890f-110d5faabb0b4b6abc9a','1a210947a5d-12234a4994e249a2b25f','office',NULL,'alice','To be deleted','to be deleted
office',1795574499599286,'ready',1795574499088330,1795574499588330,1795574498887342,1795574499387342,68495,'mp4','"064728c0152542c5a9062a84a525f1c7"','file','h264','opus',320,180,'1672c044d18147aba96660bb77c0e7216d80609adaad4272a6e72a2a6defbbf7',1,NULL,1795574500704918,'[]','[]');
CREATE TABLE sessions (
	session_id VARCHAR(64) NOT NULL, 
	room_name TEXT NOT NULL, 
	community_id TEXT, 
	user_id VARCHAR(255) NOT NULL, 
	participant_identity TEXT, 
	source VARCHAR(16) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	reason TEXT, 
	started_at_us BIGINT NOT NULL, 
	since_us BIGINT NOT NULL, 
	ended_at_us BIGINT, 
	drains_at_us BIGINT, 
	video_codec VARCHAR(16), 
	audio_codec VARCHAR(16), 
	width BIGINT, 
	height BIGINT, 
	ice_etag VARCHAR(64), 
	PRIMARY KEY (session_id)
);
INSERT INTO "sessions" VALUES('1a210947a5d-12234a4994e249a2b25f','office',NULL,'alice','alice','whip','draining','Stopped by its user',1795574495837281,1795574500674163,1795574500674155,1795575100674155,'h264','opus',320,180,'"ba24066f464df25e"');
CREATE TABLE users (
	user_id VARCHAR(255) NOT NULL, 
	name TEXT, 
	quota_bytes BIGINT, 
	created_at_us BIGINT NOT NULL, 
	PRIMARY KEY (user_id)
);
INSERT INTO "users" VALUES('alice','Alice',NULL,1795574495823315);
CREATE INDEX clips_by_user ON clips (user_id, created_at_us, clip_id);
CREATE INDEX clips_deleted ON clips (deleted_at_us);
CREATE UNIQUE INDEX clips_once_per_key ON clips (user_id, idempotency_key);
CREATE INDEX clips_unfinished ON clips (status, storage, has_poster);
CREATE UNIQUE INDEX one_active_session ON sessions (user_id) WHERE state IN ('starting', 'recording', 'interrupted');
CREATE INDEX sessions_by_room ON sessions (room_name, started_at_us);
CREATE INDEX sessions_by_state ON sessions (state);
CREATE INDEX sessions_by_user ON sessions (user_id, started_at_us);
COMMIT;
