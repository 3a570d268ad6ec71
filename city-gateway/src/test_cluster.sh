# The guard of a test cluster: runs the server, waits until nobody uses it, stops it and removes its folder.
# Arguments: folder, seconds to wait for another user, then the server's command.
folder=$1 linger=$2
shift 2
"$@" >>"$folder/log" 2>&1 </dev/null &
server=$!
exec 8>>"$folder/start.lock"
while [ -d "$folder" ]; do
    # Who uses the cluster holds a shared lock, and loses it by ending, however it ends.
    flock "$folder/users.lock" true
    sleep "$linger"
    # Nobody can join while this is held.
    flock 8
    flock --nonblock "$folder/users.lock" true && break
    flock --unlock 8
done
kill -QUIT "$server" 2>/dev/null
wait "$server"
# Away at once, so that whoever comes now finds nothing half removed and makes a cluster of its own.
mv -T "$folder" "$folder.gone" 2>/dev/null
rm -rf "$folder.gone"
