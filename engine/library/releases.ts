/**
 * Which libtensorflow is fetched where: pinned versions, addresses and checksums.
 *
 * @module
 */

/** What the official C archive and the wheel have in common. */
interface LibraryPackage {
  version: string;
  /** SHA-256 of the package, lower-case hexadecimal. */
  sha256: string;
  /** Paths of the shared objects in the package; the first is the one to open. */
  members: readonly string[];
  /** On Linux, the oldest glibc it runs with. */
  glibc?: string;
}

/** TensorFlow's own archive of the C library. */
export interface ArchiveRelease extends LibraryPackage {
  /** Where it is published; `.tar.gz` or `.zip`. */
  url: string;
  /** Its size in bytes, where it is known: of TensorFlow's archives it is not. */
  size?: number;
}

/** Most bytes that are taken of an archive whose size is not known; about twice the largest. */
export const MOST_ARCHIVE_BYTES = 400_000_000;

/** A Python wheel that contains the C library. */
export interface WheelRelease extends LibraryPackage {
  /** Name of the Python package. */
  name: string;
  /** File name of the wheel. */
  file: string;
  /** Its size in bytes. */
  size: number;
  /** Bytes of its members, where that is known. */
  unpackedSize?: number;
  /** pip's name for the platform. */
  platform: string;
}

/** The kinds of package, in the order in which they are tried: all results here are of wheels. */
export const PACKAGE_KINDS = ["wheel", "archive"] as const;

/** A kind of package that a library can come from. */
export type PackageKind = typeof PACKAGE_KINDS[number];

/** What can be fetched for one platform. */
export interface Release {
  /** Platform as in {@linkcode RELEASES}; part of the cache folder's name. */
  platform: string;
  wheel?: WheelRelease;
  /** Tried where the wheel is not available. */
  archive?: ArchiveRelease;
}

const ARCHIVES = "https://storage.googleapis.com/tensorflow/versions";

const LINUX_WHEEL_MEMBERS = [
  "tensorflow/libtensorflow_cc.so.2",
  "tensorflow/libtensorflow_framework.so.2",
];

/**
 * The pinned releases, by `${Deno.build.os}-${Deno.build.arch}`.
 *
 * The archives are the last ones TensorFlow published for each platform (none for Linux on arm64).
 * Their checksums are those that the Bazel module of the Go binding wamuir/graft pins for 2.18.0,
 * found the same in an independent Nix flake; for Windows that of the CMake script of the GRACE
 * potential for LAMMPS, found the same in two other installers. The wheels' checksums are those of
 * the files on the Python Package Index.
 */
export const RELEASES: Readonly<Record<string, Release>> = {
  "linux-x86_64": {
    platform: "linux-x86_64",
    archive: {
      version: "2.18.0",
      url: `${ARCHIVES}/2.18.0/libtensorflow-cpu-linux-x86_64.tar.gz`,
      sha256: "605bfcb370c7e7ec981eabada880f60784e3de018395be95c95c3e5592c3d9a2",
      members: ["lib/libtensorflow.so.2", "lib/libtensorflow_framework.so.2"],
      glibc: "2.17",
    },
    wheel: {
      version: "2.21.0",
      name: "tensorflow-cpu",
      file: "tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl",
      platform: "manylinux_2_27_x86_64",
      sha256: "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
      size: 273829956,
      unpackedSize: 853308936,
      members: LINUX_WHEEL_MEMBERS,
      glibc: "2.27",
    },
  },
  "linux-aarch64": {
    platform: "linux-aarch64",
    wheel: {
      version: "2.21.0",
      name: "tensorflow",
      file: "tensorflow-2.21.0-cp311-cp311-manylinux_2_27_aarch64.whl",
      platform: "manylinux_2_27_aarch64",
      sha256: "4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c",
      size: 281828020,
      members: LINUX_WHEEL_MEMBERS,
      glibc: "2.27",
    },
  },
  "darwin-aarch64": {
    platform: "darwin-aarch64",
    archive: {
      version: "2.18.0",
      url: `${ARCHIVES}/2.18.0/libtensorflow-cpu-darwin-arm64.tar.gz`,
      sha256: "462257d2792730dcb131fcf21bc826192ae5a2c418535f6347d051f10fc8be8a",
      members: ["lib/libtensorflow.2.dylib", "lib/libtensorflow_framework.2.dylib"],
    },
    wheel: {
      version: "2.21.0",
      name: "tensorflow",
      file: "tensorflow-2.21.0-cp311-cp311-macosx_12_0_arm64.whl",
      platform: "macosx_12_0_arm64",
      sha256: "51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88",
      size: 223405849,
      members: [
        "tensorflow/libtensorflow_cc.2.dylib",
        "tensorflow/libtensorflow_framework.2.dylib",
      ],
    },
  },
  "windows-x86_64": {
    platform: "windows-x86_64",
    archive: {
      version: "2.18.1",
      url: `${ARCHIVES}/2.18.1/libtensorflow-cpu-windows-x86_64.zip`,
      sha256: "28acdcea6c6b34828cf0e95e67802b0f3577d51bc2e8915de811b7aa0b04452d",
      members: ["lib/tensorflow.dll"],
    },
    wheel: {
      version: "2.21.0",
      name: "tensorflow",
      file: "tensorflow-2.21.0-cp311-cp311-win_amd64.whl",
      platform: "win_amd64",
      sha256: "0064a19bdc054a4b7c5e7e21cdf50ce38a114c2bada578b4f5267a37410f6784",
      size: 350834005,
      members: ["tensorflow/python/_pywrap_tensorflow_common.dll"],
    },
  },
};

/** The running platform's key in {@linkcode RELEASES}, whether or not it has an entry there. */
export function currentPlatform(): string {
  return `${Deno.build.os}-${Deno.build.arch}`;
}
