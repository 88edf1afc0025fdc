"""Inserts rows (JSON arrays, a line each) into the table of chatfeed's sink and a full-text index: ROWS DATABASE"""

import json
import sqlite3
import sys
from itertools import islice

COLUMNS = (
    "id revision provider source tenant message_id conversation_kind conversation_id sender_id sender_name"
    " sender_role recipient sent_at kind provider_type text status latitude longitude address session refers_to"
    " data attachments origin"
).split()
TEXT = COLUMNS.index("text")
BATCH = 2000

rows_file, database = sys.argv[1:]
db = sqlite3.connect(database, isolation_level=None)
db.executescript(
    "pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -64000;"
    "pragma wal_autocheckpoint = 4000;"
    f"create table messages ({', '.join(COLUMNS)}, primary key (id));"
    "create virtual table message_words using fts5 (words, content = '')"
)
insert = f"insert into messages values ({', '.join('?' * len(COLUMNS))})"
index = "insert into message_words (rowid, words) values (?, ?)"

row_number = 0
with open(rows_file, encoding="utf-8") as lines:
    while batch := [json.loads(line) for line in islice(lines, BATCH)]:
        db.execute("begin")
        db.executemany(insert, batch)
        db.executemany(index, [(row_number + n, row[TEXT] or "") for n, row in enumerate(batch, 1)])
        db.execute("commit")
        row_number += len(batch)
db.close()
