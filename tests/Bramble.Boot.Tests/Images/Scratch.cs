using System.ComponentModel;
using Bramble.Processes;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot.Tests.Images;

/// <summary>A directory that goes away with the test, and the real tools that make and check images.</summary>
internal sealed class Scratch : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("bramble-images-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Runs a tool, which must succeed; skips the test where the tool is missing.</summary>
    public static async Task<string> RunAsync(string program, params string[] arguments) =>
        await RunAsync(program, arguments, input: null);

    public static async Task<string> RunAsync(string program, string[] arguments, string? input)
    {
        var result = await TryRunAsync(program, arguments, input);
        Assert.True(result.Succeeded, $"{program} {string.Join(' ', arguments)}: {result.Output}{result.Errors}");
        return result.Output;
    }

    public static async Task<ChildResult> TryRunAsync(string program, string[] arguments, string? input = null)
    {
        try
        {
            return await ChildProcess.RunAsync(program, arguments, input, timeout: TimeSpan.FromMinutes(2),
                environment: new Dictionary<string, string> { ["MTOOLS_SKIP_CHECK"] = "1" },
                    cancellation: Cancellation);
        }
        catch (Win32Exception)
        {
            Assert.Skip($"needs the program {program}");
            throw;
        }
    }

    public string Write(string name, ReadOnlySpan<byte> bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    /// <summary>A sparse file.</summary>
    public string Sparse(string name, long bytes)
    {
        using var file = File.Create(this[name]);
        file.SetLength(bytes);
        return this[name];
    }

    public static SafeFileHandle Open(string path) => File.OpenHandle(path);

    public static byte[] Noise(int seed, int bytes)
    {
        var data = new byte[bytes];
        new Random(seed).NextBytes(data);
        return data;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
