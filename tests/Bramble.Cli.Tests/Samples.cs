using System.Text.Json;
using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Tests;

/// <summary>Answers as a manager gives them.</summary>
internal static class Samples
{
    public const string Running = """
        {"id":12,"number":3,"name":"shelf-3","mac":"b8:27:eb:12:34:56","serial":"10000000a1b2c3d4","model":"Pi 4B",
         "maker":"Raspberry Pi","memoryBytes":4294967296,"architecture":"arm64","network":"lab","address":"10.0.0.13",
         "phase":"running","phaseSince":"2026-05-01T11:57:00Z","verdict":"reported 4 s ago",
         "spec":{"goal":"run","image":"debian12","disk":"/dev/mmcblk0","generation":2,
                 "powerDevice":"poe1","powerPort":"7","power":"on","labels":{"rack":"a","on":"yes"}},
         "installed":{"image":"debian12","digest":"ab12","disk":"/dev/mmcblk0","generation":2,
                      "at":"2026-05-01T10:00:00Z"},
         "disks":[{"path":"/dev/mmcblk0","sizeBytes":31914983424,"bus":"sd","readOnly":false,"serial":"0x1"}],
         "watchdogTries":0,"futureMember":"kept"}
        """;

    public const string Installing = """
        {"id":13,"number":4,"name":"shelf-4","mac":"b8:27:eb:12:34:57","model":"Pi 3B","memoryBytes":1073741824,
         "address":"10.0.0.14","phase":"installing","phaseSince":"2026-05-01T11:59:30Z","verdict":"",
         "spec":{"goal":"run","image":"debian12","generation":1},
         "progress":{"step":"writing","doneBytes":1288490188,"totalBytes":2147483648,"message":""}}
        """;

    public const string Failed = """
        {"id":14,"number":11,"name":"shelf-11","mac":"b8:27:eb:12:34:58","phase":"failed",
         "phaseSince":"2026-04-30T06:00:00Z","verdict":"start4.elf is missing",
         "spec":{"goal":"run","image":"raspios","generation":3},
         "installed":{"image":"debian12","digest":"ab12","disk":"/dev/sda","generation":2,"at":"2026-04-01T10:00:00Z"}}
        """;

    public const string Nodes = $"[{Failed},{Running},{Installing}]";

    public const string Manager = """
        {"cluster":"home","version":"0.1.0","startedAt":"2026-05-01T09:00:00Z",
         "networks":[{"name":"lab","interface":"eth1","address":"10.0.0.1/24","dhcpMode":"authoritative","adopt":"ask",
                      "bootUrl":"http://10.0.0.1:8080"}],
         "nodesByPhase":{"running":7,"failed":1},"counters":{"dhcp.offers":42}}
        """;

    public static string Result(bool dryRun, params (int Number, bool Accepted, string Message)[] outcomes) =>
        JsonSerializer.Serialize(
            new NodeActionResult(dryRun, [.. outcomes.Select(o =>
                new NodeActionOutcome(o.Number + 9, o.Number, $"shelf-{o.Number}", o.Accepted, o.Message))]),
            ContractsJson.Default.NodeActionResult);

    /// <summary>Node 3 in another phase.</summary>
    public static string Node3(string phase, string since, int installed, int wanted = 2, string verdict = "") => $$"""
        [{"id":12,"number":3,"name":"shelf-3","mac":"b8:27:eb:12:34:56","phase":"{{phase}}","phaseSince":"{{since}}",
          "verdict":"{{verdict}}","spec":{"goal":"run","image":"debian12","generation":{{wanted}}},
          "installed":{"image":"debian12","digest":"ab","disk":"/dev/sda","generation":{{installed}},
                       "at":"2026-05-01T10:00:00Z"} }]
        """;
}
