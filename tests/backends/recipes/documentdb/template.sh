# Runs inside the root as "postgres": makes the data directory that every test run copies.
# The port and the socket directory are the same in all runs (each run sees its own /srv/postgresql):
# pg_cron stores both in its job table when the extension is created, and without these jobs neither index builds
# nor TTL indexes make progress.
set -eu
cd /srv/postgresql
bin=/usr/lib/postgresql/18/bin
$bin/initdb -D data -A trust -E UTF8 --locale=C.UTF-8 --no-instructions
cat >>data/postgresql.conf <<'CONF'
listen_addresses = ''
port = 5432
unix_socket_directories = '/srv/postgresql'
shared_preload_libraries = 'pg_cron,pg_documentdb_core,pg_documentdb'
cron.database_name = 'postgres'
cron.host = '/srv/postgresql'
documentdb.localhost_connection_string = 'host=/srv/postgresql'
cron.log_run = off
cron.log_statement = off
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 64MB
max_wal_size = 512MB
max_connections = 100
jit = off
log_line_prefix = '%m [%p] '
CONF
$bin/pg_ctl -D data -w -t 60 -l init.log start || { cat init.log; exit 1; }
psql -h /srv/postgresql -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION documentdb CASCADE' postgres
psql -h /srv/postgresql -c '\dx' postgres
$bin/pg_ctl -D data -w -m fast stop
rm -f init.log
