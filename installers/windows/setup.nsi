; The setup for Windows: 64-bit, for one user, without elevation. setup_exe.py runs it:
;   makensis -INPUTCHARSET UTF8 -DVERSION=.. -DPAYLOAD=.. -DSIZE_KB=.. -DLICENCE=.. -DOUT=.. setup.nsi
;
; It unpacks the frozen engine into a temporary folder and has it install itself: what is placed
; where, the record of it, versions and the plug-ins are `maskwright setup`'s business, as on every
; other system. Here is only what that cannot do: unpacking, and the entry among Windows' apps.
;
;   setup.exe /S              installs silently
;   uninstall.exe /S          removes silently, keeps models and settings
;   uninstall.exe /S /PURGE   removes these as well
; Exit codes are the engine's: 0 done, 1 not done or cancelled, 3 the engine failed.

Unicode true
Target amd64-unicode
!ifdef QUICK
  SetCompressor zlib
!else
  SetCompressor /SOLID lzma
!endif
SetDateSave off ; the same bytes each time
ManifestDPIAware true
RequestExecutionLevel user

!include MUI2.nsh
!include FileFunc.nsh
!include LogicLib.nsh
!include WinVer.nsh
!include x64.nsh

!define DATA "$LOCALAPPDATA\maskwright"
!define APPS "Software\Microsoft\Windows\CurrentVersion\Uninstall"
!define ENTRY "${APPS}\Maskwright"

Name "Maskwright"
OutFile "${OUT}"
BrandingText "Maskwright ${VERSION}"
ShowInstDetails nevershow
ShowUninstDetails nevershow

VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "Maskwright"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "Maskwright setup"
VIAddVersionKey CompanyName "Maskwright"
VIAddVersionKey LegalCopyright "Apache License 2.0"

!define MUI_ABORTWARNING
!define MUI_WELCOMEPAGE_TITLE "$(WELCOME_TITLE)"
!define MUI_WELCOMEPAGE_TEXT "$(WELCOME_TEXT)"
!define MUI_LICENSEPAGE_BUTTON "$(LICENCE_BUTTON)"
!define MUI_LICENSEPAGE_TEXT_BOTTOM "$(LICENCE_TEXT)"
!define MUI_FINISHPAGE_TITLE "$(FINISH_TITLE)"
!define MUI_FINISHPAGE_TEXT "$(FINISH_TEXT)"
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_LICENSE "${LICENCE}"
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "German"
!include texts.nsh

Var Said

; Run `COMMAND` without a window; afterwards its exit code is in $0, and what it said in $Said.
!macro Run COMMAND
  DetailPrint "$(WORKING)"
  nsExec::ExecToStack '${COMMAND}'
  Pop $0
  Pop $Said
  ${If} $0 == "error"
    StrCpy $0 3
  ${EndIf}
!macroend

; End with the exit code $0. What was said is shown or, where nobody watches, left in a file.
!macro GiveUp TEXT
  SetErrorLevel $0
  ${If} ${Silent}
    FileOpen $1 "$TEMP\maskwright-setup.log" w
    FileWriteUTF16LE /BOM $1 "${TEXT}$\r$\n$Said"
    FileClose $1
    Quit
  ${EndIf}
  MessageBox MB_OK|MB_ICONEXCLAMATION "${TEXT}$\r$\n$\r$\n$Said"
  Abort
!macroend

Function .onInit
  SetShellVarContext current
  StrCpy $INSTDIR "$LOCALAPPDATA\Programs\Maskwright" ; fixed: plug-ins look in fixed places, too
  ${IfNot} ${RunningX64}
  ${OrIfNot} ${AtLeastWin10}
    MessageBox MB_OK|MB_ICONSTOP "$(OLD_WINDOWS)" /SD IDOK
    SetErrorLevel 1
    Quit
  ${EndIf}
FunctionEnd

Section
  InitPluginsDir
  SetOutPath "$PLUGINSDIR\engine"
  File /r "${PAYLOAD}/*"
  SetOutPath "$TEMP" ; a folder that somebody works in cannot be removed
  !insertmacro Run '"$PLUGINSDIR\engine\maskwright.exe" setup install --no-sample'
  ${If} $0 != 0
    !insertmacro GiveUp "$(NOT_INSTALLED)"
  ${EndIf}

  ; Windows has both of these for most users; those that were made for us go with us.
  StrCpy $2 ""
  ${IfNot} ${FileExists} "$LOCALAPPDATA\Programs\*.*"
    StrCpy $2 "folder"
  ${EndIf}
  ClearErrors
  EnumRegKey $1 HKCU "${APPS}" 0
  ${If} ${Errors}
    StrCpy $2 "$2 key"
  ${EndIf}
  ReadRegStr $1 HKCU "${ENTRY}" "MadeForUs"
  SetOutPath "$INSTDIR"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  SetOutPath "$TEMP"
  WriteRegStr HKCU "${ENTRY}" "MadeForUs" "$1$2"
  WriteRegStr HKCU "${ENTRY}" "DisplayName" "Maskwright"
  WriteRegStr HKCU "${ENTRY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${ENTRY}" "Publisher" "Maskwright"
  WriteRegStr HKCU "${ENTRY}" "InstallLocation" "${DATA}"
  WriteRegStr HKCU "${ENTRY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${ENTRY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${ENTRY}" "EstimatedSize" ${SIZE_KB}
  WriteRegDWORD HKCU "${ENTRY}" "NoModify" 1
  WriteRegDWORD HKCU "${ENTRY}" "NoRepair" 1
SectionEnd

Function un.onInit
  SetShellVarContext current
FunctionEnd

; The folder of an engine that starts, in $3; of several the last by name. Empty if there is none.
Function un.FindEngine
  StrCpy $3 ""
  FindFirst $4 $5 "${DATA}\engine\*"
  ${DoWhile} $5 != ""
    ${If} ${FileExists} "${DATA}\engine\$5\maskwright.exe"
      nsExec::Exec '"${DATA}\engine\$5\maskwright.exe" --version'
      Pop $0
      ${If} $0 == 0
        StrCpy $3 "${DATA}\engine\$5"
      ${EndIf}
    ${EndIf}
    FindNext $4 $5
  ${Loop}
  FindClose $4
FunctionEnd

Section Uninstall
  ; Only the engine knows what was placed. It works from a copy, so that all of it can go.
  Call un.FindEngine
  ${If} $3 != ""
    StrCpy $6 ""
    ${GetParameters} $1
    ClearErrors
    ${GetOptions} $1 "/PURGE" $2
    ${IfNot} ${Errors}
      StrCpy $6 " --purge"
    ${ElseIf} ${FileExists} "${DATA}\models\*.*"
    ${OrIf} ${FileExists} "${DATA}\settings.json"
      MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "$(ASK_PURGE)" /SD IDNO IDNO keep
      StrCpy $6 " --purge"
      keep:
    ${EndIf}
    InitPluginsDir
    CreateDirectory "$PLUGINSDIR\engine"
    CopyFiles /SILENT "$3\*.*" "$PLUGINSDIR\engine"
    !insertmacro Run '"$PLUGINSDIR\engine\maskwright.exe" setup uninstall$6'
    ${If} $0 != 0
      !insertmacro GiveUp "$(NOT_REMOVED)"
    ${EndIf}
  ${ElseIf} ${FileExists} "${DATA}\install.json"
    StrCpy $0 3
    StrCpy $Said ""
    !insertmacro GiveUp "$(NO_ENGINE)"
  ${EndIf}

  ReadRegStr $1 HKCU "${ENTRY}" "MadeForUs"
  DeleteRegKey HKCU "${ENTRY}"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  ${If} $1 == "folder"
  ${OrIf} $1 == "folder key"
    RMDir "$LOCALAPPDATA\Programs"
  ${EndIf}
  ${If} $1 == " key"
  ${OrIf} $1 == "folder key"
    DeleteRegKey /ifempty HKCU "${APPS}"
  ${EndIf}
SectionEnd
