using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Bramble.Manager.Store;

/// <summary>Points the SQLite binding at the system's own library: Debian's libsqlite3-0.</summary>
internal static class SystemSqlite
{
    private static readonly Lazy<bool> s_ready = new(() =>
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        return true;
    });

    public static void Use() => _ = s_ready.Value;

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == "e_sqlite3" && NativeLibrary.TryLoad("libsqlite3.so.0", out var handle) ? handle : IntPtr.Zero;
}
