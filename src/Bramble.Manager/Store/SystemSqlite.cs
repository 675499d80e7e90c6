using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Bramble.Manager.Store;

/// <summary>Points the SQLite binding at the system's own library: Debian's libsqlite3-0.</summary>
internal static partial class SystemSqlite
{
    private static readonly Lazy<bool> s_ready = new(() =>
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        return true;
    });

    public static void Use() => _ = s_ready.Value;

    /// <summary>
    /// Whether the system lets us write to a file. Asked, and not tried: to close a file that SQLite has open would
    /// drop its locks (POSIX advisory locks belong to the process).
    /// </summary>
    public static bool MayWrite(string file) => Access(file, WriteAccess) == 0;

    private const int WriteAccess = 2;

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == "e_sqlite3" && NativeLibrary.TryLoad("libsqlite3.so.0", out var handle) ? handle : IntPtr.Zero;
}
